import type { Steps } from "../lib/slices.ts";
import { type Client, withdraw, withdrawWhere } from "./attendance.ts";

/** Stands for a client that is gone and may come back. */
export type Absence = {
  /** Could it be connected now and, with a channel, be a member? */
  readonly mayStill: (channel?: string) => boolean;
  /** Whose it is, such as an address: when room is needed, one group does not cost another anything. */
  readonly group: string;
  /** It came back, or cannot come back any more. Called once. */
  readonly end: () => void;
};

type Kept = {
  readonly absence: Absence;
  readonly sinceMs: number;
  readonly bytes: number;
  readonly group: Group;
};

/** Those who make room for each other first. */
type Group = { readonly name: string; readonly clients: Set<Client>; bytes: number };

export type AbsenteesOptions = {
  readonly resumeWindowMs: number;
  /** What all of them together may about take. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** It cannot come back any more. */
  readonly onForgotten: (client: Client) => void;
};

/** How many groups are compared when one has to give way, besides the one that grows and the largest that is known. */
const SAMPLE = 32;

/** How much longer than its time one may be kept, as a share of it. */
const LATE_SHARE = 1 / 100;

/** About what a client takes, and each channel that it attends beside the channel's name. */
const CLIENT_BYTES = 1_000;
const ATTENDANCE_BYTES = 160;

/**
 * The clients that are gone and may come back. Owns what is kept of them, from `add` until they come back, their time is
 * over or they must make room: then the one gone for longest of the group that takes most goes first, so that a crowd from
 * one place costs nobody else the way back.
 */
export class Absentees {
  readonly #options: AbsenteesOptions;
  /** Gone for longest first. */
  readonly #kept = new Map<Client, Kept>();
  readonly #byKey = new Map<string, Set<Client>>();
  readonly #groups = new Map<string, Group>();
  #largest: Group | undefined;
  #bytes = 0;
  /** When somebody's time may be over. */
  #lookAtMs = Number.POSITIVE_INFINITY;

  constructor(options: AbsenteesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** About what all of them take. */
  get bytes(): number {
    return this.#bytes;
  }

  add(client: Client, absence: Absence): void {
    const name = `${client.keyId ?? ""} ${absence.group}`;
    const group = this.#groups.get(name) ?? { name, clients: new Set(), bytes: 0 };
    const bytes = bytesOf(client);
    this.#groups.set(name, group);
    group.clients.add(client);
    group.bytes += bytes;
    this.#bytes += bytes;
    if (group.bytes > (this.#largest?.bytes ?? 0)) this.#largest = group;
    const sinceMs = this.#options.now();
    this.#kept.set(client, { absence, sinceMs, bytes, group });
    this.#lookAtMs = Math.min(this.#lookAtMs, sinceMs + this.#options.resumeWindowMs);
    if (client.keyId !== null) {
      const siblings = this.#byKey.get(client.keyId) ?? new Set();
      siblings.add(client);
      this.#byKey.set(client.keyId, siblings);
    }
    this.forget();
  }

  /** It is here again, or is not waited for any more. */
  recall(client: Client): void {
    const kept = this.#kept.get(client);
    if (kept === undefined) return;
    const { absence, bytes, group } = kept;
    this.#kept.delete(client);
    this.#bytes -= bytes;
    group.bytes -= bytes;
    group.clients.delete(client);
    if (group.clients.size === 0) {
      this.#groups.delete(group.name);
      if (this.#largest === group) this.#largest = undefined;
    }
    const { keyId } = client;
    const siblings = keyId === null ? undefined : this.#byKey.get(keyId);
    siblings?.delete(client);
    if (keyId !== null && siblings?.size === 0) this.#byKey.delete(keyId);
    absence.end();
  }

  /** Those whose time is over, and those who must make room. */
  forget(): void {
    const nowMs = this.#options.now();
    if (nowMs >= this.#lookAtMs) this.#forgetLate(nowMs);
    while (this.#bytes > this.#options.maxBytes) {
      const group = this.#largestAtHand();
      if (group === undefined) return;
      for (const oldest of group.clients) {
        this.#end(oldest);
        break;
      }
    }
  }

  /**
   * The oldest come first, behind the holes that those before them have left in the Map: it takes a while to get to them, so it
   * is not done for each that comes or goes.
   */
  #forgetLate(nowMs: number): void {
    const { resumeWindowMs } = this.#options;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    for (const [client, { sinceMs }] of this.#kept) {
      const endMs = sinceMs + resumeWindowMs;
      if (endMs > nowMs) {
        this.#lookAtMs = Math.max(endMs, nowMs + resumeWindowMs * LATE_SHARE);
        return;
      }
      this.#end(client);
    }
  }

  #end(client: Client): void {
    this.recall(client);
    this.#options.onForgotten(client);
  }

  /** A key changed, step by step: what those who are gone may no longer hear is noted as it is for those who are here. */
  *decideAgain(keyId: string): Steps {
    for (const client of this.#byKey.get(keyId) ?? []) {
      const absence = this.#kept.get(client)?.absence;
      if (absence === undefined) continue;
      if (absence.mayStill()) withdrawWhere(client, (channel) => !absence.mayStill(channel));
      else withdraw(client);
      yield;
    }
  }

  close(): void {
    for (const client of this.#kept.keys()) this.recall(client);
  }

  /** Those that were looked at go to the end: next time it is others. */
  #largestAtHand(): Group | undefined {
    let largest = this.#largest;
    const looked: Group[] = [];
    for (const group of this.#groups.values()) {
      if (looked.length === SAMPLE) break;
      looked.push(group);
      if (group.bytes > (largest?.bytes ?? 0)) largest = group;
    }
    if (this.#groups.size > SAMPLE) {
      for (const group of looked) {
        this.#groups.delete(group.name);
        this.#groups.set(group.name, group);
      }
    }
    this.#largest = largest;
    return largest;
  }
}

function bytesOf({ attendances }: Client): number {
  let bytes = CLIENT_BYTES;
  for (const channel of attendances.keys()) bytes += ATTENDANCE_BYTES + 2 * channel.length;
  return bytes;
}
