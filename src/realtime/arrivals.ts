import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { nanoid } from "nanoid";
import type { PresentedKey } from "../gate.ts";
import { addressGroup } from "../policy/index.ts";
import { Admission, type Slot } from "./admission.ts";
import type { Whence } from "./engine-session.ts";

/** A handshake that was let in. */
export type Arrival = {
  readonly sid: string;
  readonly whence: Whence;
  readonly group: string;
  readonly presented: PresentedKey;
  readonly slot: Slot;
  readonly tcp: Duplex | undefined;
  readonly atMs: number;
  /** It became a connection: what was kept for the handshake's end is forgotten. */
  readonly claim: () => void;
};

/** What a handshake says of itself, and what it is answered over. */
export type Handshake = Pick<Arrival, "whence" | "presented" | "tcp"> & {
  readonly carrier: ServerResponse | Duplex;
};

/** How long a connection may stay silent while others of its address wait. */
const PRESSURE_MS = 1_000;

/** The handshakes under way: those that wait for a place, and those that Engine.IO has not made a connection of yet. */
export class Arrivals {
  readonly #admission: Admission;
  /** From the place they got until they are a connection, or over. */
  readonly #letIn = new Map<IncomingMessage, Arrival>();

  constructor(options: { readonly maxPendingPerAddress: number; readonly connectTimeoutMs: number }) {
    this.#admission = new Admission({
      maxPendingPerAddress: options.maxPendingPerAddress,
      maxWaiting: 10_000,
      maxWaitMs: options.connectTimeoutMs,
      pressureMs: PRESSURE_MS,
    });
  }

  /** Wait for a place, which is free again when the request is over without a connection. */
  enter(
    request: IncomingMessage,
    { whence, presented, tcp, carrier }: Handshake,
    pass: () => void,
    refused: () => void,
  ): void {
    const group = addressGroup(whence.ip);
    const atMs = performance.now();
    let slot: Slot | undefined;
    const withdraw = this.#admission.enter(
      group,
      (taken) => {
        slot = taken;
        this.#letIn.set(request, { sid: nanoid(), whence, group, presented, slot, tcp, atMs, claim });
        pass();
      },
      refused,
    );
    const forget = (): void => {
      withdraw();
      this.#letIn.delete(request);
      slot?.release();
    };
    function claim(): void {
      carrier.off("close", forget);
    }
    carrier.once("close", forget);
  }

  /** The arrival whose first request this is. */
  of(request: IncomingMessage): Arrival | undefined {
    return this.#letIn.get(request);
  }

  /** It is a connection now. */
  take(request: IncomingMessage): Arrival | undefined {
    const arrival = this.#letIn.get(request);
    this.#letIn.delete(request);
    arrival?.claim();
    return arrival;
  }

  /** Engine.IO refused it: its place is free. */
  drop(request: IncomingMessage): void {
    const arrival = this.#letIn.get(request);
    this.#letIn.delete(request);
    arrival?.slot.release();
  }

  /** Turn away all who wait. */
  close(): void {
    this.#admission.close();
  }
}
