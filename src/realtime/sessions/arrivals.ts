import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import type { PresentedKey } from "../../gate/index.ts";
import { randomToken } from "../../lib/random-token.ts";
import { addressGroup } from "../../policy/index.ts";
import { Admission, type Slot } from "../admission/admission.ts";
import type { Whence } from "./engine-session-options.ts";

/** A handshake that was let in. */
export type Arrival = {
  /** Engine.IO's secret name of the connection. */
  readonly sid: string;
  readonly whence: Whence;
  readonly group: string;
  readonly presented: PresentedKey;
  readonly slot: Slot;
  readonly tcp: Duplex | undefined;
  /** How long it waited for its place. */
  readonly waitedMs: number;
};

/** What a handshake says of itself, and what it is answered over. */
export type Handshake = Pick<Arrival, "whence" | "presented" | "tcp"> & {
  readonly carrier: ServerResponse | Duplex;
};

/** How long a connection may stay silent while others of its address wait. */
const PRESSURE_MS = 1_000;

/** 128 bits. */
const SID_BYTES = 16;

/** The handshakes under way: those that wait for a place, and those that Engine.IO has not made a connection of yet. */
export class Arrivals {
  readonly #admission: Admission;
  /** From the place they got until they are a connection, or over. */
  readonly #letIn = new Map<IncomingMessage, Arrival>();
  /** Of those whose end is listened for: no longer. Until they are a connection, or over: the end of an answer that waits
   * behind another one is never announced. */
  readonly #watched = new Map<IncomingMessage, () => void>();

  constructor(options: { readonly maxPendingPerAddress: number; readonly connectTimeoutMs: number }) {
    this.#admission = new Admission({
      maxPendingPerAddress: options.maxPendingPerAddress,
      maxWaiting: 10_000,
      maxWaitMs: options.connectTimeoutMs,
      pressureMs: PRESSURE_MS,
    });
  }

  /**
   * Wait for a place, which is free again when the request is over without a connection. An upgrade that does not have to wait
   * is over in the same turn, which nothing announces: `pass` says so with {@link drop}.
   */
  enter(
    request: IncomingMessage,
    { whence, presented, tcp, carrier }: Handshake,
    pass: () => void,
    refused: () => void,
  ): void {
    const group = addressGroup(whence.ip);
    let sinceMs: number | undefined;
    const withdraw = this.#admission.enter(
      group,
      (slot) => {
        const waitedMs = sinceMs === undefined ? 0 : performance.now() - sinceMs;
        const sid = randomToken(SID_BYTES);
        this.#letIn.set(request, { sid, whence, group, presented, slot, tcp, waitedMs });
        pass();
      },
      () => {
        this.#forget(request);
        refused();
      },
    );
    if (withdraw === undefined && (tcp !== undefined || !this.#letIn.has(request))) return;
    sinceMs = performance.now();
    const over = (): void => {
      withdraw?.();
      this.drop(request);
    };
    // A bare TCP connection that breaks while it waits is over.
    if (tcp !== undefined) tcp.on("error", noop);
    carrier.once("close", over);
    this.#watched.set(request, () => carrier.off("close", over));
  }

  /** The arrival whose first request this is. */
  of(request: IncomingMessage): Arrival | undefined {
    return this.#letIn.get(request);
  }

  /** It is a connection now. */
  take(request: IncomingMessage): Arrival | undefined {
    const arrival = this.#letIn.get(request);
    this.#forget(request);
    return arrival;
  }

  /** It is over, or Engine.IO refused it: its place is free. */
  drop(request: IncomingMessage): void {
    this.take(request)?.slot.release();
  }

  /** Turn away all who wait. */
  close(): void {
    this.#admission.close();
  }

  #forget(request: IncomingMessage): void {
    this.#letIn.delete(request);
    if (this.#watched.size === 0) return;
    this.#watched.get(request)?.();
    this.#watched.delete(request);
  }
}

function noop(): void {}
