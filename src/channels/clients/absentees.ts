import { FairBudget } from "../../lib/fair-budget.ts";
import { FairQueue, Held } from "../../lib/fair-queue.ts";
import type { Steps } from "../../lib/slices.ts";
import { type Client, withdraw, withdrawWhere } from "./attendance.ts";
import { ownerOf } from "./owner.ts";

/** Stands for a client that is gone and may come back. */
export type Absence = {
  /** Could it be connected now and, with a channel, be a member? */
  readonly mayStill: (channel?: string) => boolean;
  /** Whose it is, such as an address: when room is needed, one group does not cost another anything. */
  readonly group: string;
  /** It came back, or cannot come back any more. Called once. */
  readonly end: () => void;
};

/** A client that is gone, held by those of its address group. */
class Kept extends Held<Kept> {
  readonly client: Client;
  readonly absence: Absence;
  readonly sinceMs: number;

  constructor(client: Client, absence: Absence, sinceMs: number) {
    super();
    this.client = client;
    this.absence = absence;
    this.sinceMs = sinceMs;
  }
}

/** The clients of a key that are gone. Those of one place make room for each other first. */
type OfKey = { readonly clients: Set<Client>; readonly byGroup: FairQueue<Kept> };

export type AbsenteesOptions = {
  readonly resumeWindowMs: number;
  /** What all of them together may about take. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** It cannot come back any more. */
  readonly onForgotten: (client: Client) => void;
};

/** How many are forgotten in one call because their time is over. */
const FORGOTTEN_AT_ONCE = 1_000;

/** How much longer than its time one may be kept, as a share of it. */
const LATE_SHARE = 1 / 100;

/** About what a client takes, and each channel that it attends beside the channel's name. */
const CLIENT_BYTES = 1_000;
const ATTENDANCE_BYTES = 160;

/**
 * The clients that are gone and may come back. Owns what is kept of them, from `add` until they come back, their time is
 * over or they must make room: then it is the one gone for longest of the address group that takes most of the key that
 * takes most. So a crowd costs no other key the way back, and no other place of its own key.
 */
export class Absentees {
  readonly #options: AbsenteesOptions;
  /** Gone for longest first. */
  readonly #kept = new Map<Client, Kept>();
  readonly #byKey = new Map<string, OfKey>();
  /** Those without a key: each address group is an owner of its own. */
  readonly #keyless = new FairQueue<Kept>(Number.POSITIVE_INFINITY);
  readonly #budget: FairBudget;
  /** When somebody's time may be over. */
  #lookAtMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AbsenteesOptions) {
    this.#options = options;
    this.#budget = new FairBudget(options.maxBytes);
  }

  get size(): number {
    return this.#kept.size;
  }

  /** About what all of them take. */
  get bytes(): number {
    return this.#budget.total;
  }

  add(client: Client, absence: Absence): void {
    const sinceMs = this.#options.now();
    const kept = new Kept(client, absence, sinceMs);
    const bytes = bytesOf(client);
    const owner = ownerOf(client.keyId, absence.group);
    this.#kept.set(client, kept);
    this.#siblingsOf(client).add(client.keyId === null ? owner : absence.group, kept, bytes);
    this.#budget.charge(owner, bytes);
    this.#lookAtMs = Math.min(this.#lookAtMs, sinceMs + this.#options.resumeWindowMs);
    this.forget();
    this.#lookLater();
  }

  /** It is here again, or is not waited for any more. */
  recall(client: Client): void {
    const kept = this.#kept.get(client);
    if (kept === undefined) return;
    const { absence, amount } = kept;
    this.#kept.delete(client);
    this.#budget.discharge(ownerOf(client.keyId, absence.group), amount);
    const ofKey = client.keyId === null ? undefined : this.#byKey.get(client.keyId);
    (ofKey?.byGroup ?? this.#keyless).remove(kept);
    ofKey?.clients.delete(client);
    if (client.keyId !== null && ofKey?.clients.size === 0) this.#byKey.delete(client.keyId);
    absence.end();
  }

  /** Those whose time is over, and those who must make room. */
  forget(): void {
    const nowMs = this.#options.now();
    if (nowMs >= this.#lookAtMs) this.#forgetLate(nowMs);
    while (this.#budget.isExceeded) {
      const name = this.#budget.largest?.name ?? "";
      const kept = this.#byKey.get(name)?.byGroup.first ?? this.#keyless.oldestOf(name);
      if (kept === undefined) return;
      this.#end(kept.client);
    }
  }

  /** The list of those with whom it shares its key. */
  #siblingsOf(client: Client): FairQueue<Kept> {
    const { keyId } = client;
    if (keyId === null) return this.#keyless;
    let ofKey = this.#byKey.get(keyId);
    if (ofKey === undefined) {
      ofKey = { clients: new Set(), byGroup: new FairQueue(Number.POSITIVE_INFINITY) };
      this.#byKey.set(keyId, ofKey);
    }
    ofKey.clients.add(client);
    return ofKey.byGroup;
  }

  /** Also where nobody comes or goes any more, they end. */
  #lookLater(): void {
    if (this.#timer !== undefined || this.#kept.size === 0) return;
    const { resumeWindowMs, now } = this.#options;
    const inMs = Math.max(this.#lookAtMs - now(), resumeWindowMs * LATE_SHARE, 10);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.forget();
        this.#lookLater();
      },
      Math.min(inMs, 2 ** 31 - 1),
    ).unref();
  }

  /**
   * The oldest come first, behind the holes that those before them have left in the Map: it takes a while to get to them, so it
   * is not done for each that comes or goes.
   */
  #forgetLate(nowMs: number): void {
    const { resumeWindowMs } = this.#options;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    let forgotten = 0;
    for (const [client, { sinceMs }] of this.#kept) {
      const endMs = sinceMs + resumeWindowMs;
      if (endMs > nowMs || forgotten === FORGOTTEN_AT_ONCE) {
        this.#lookAtMs = Math.max(endMs, nowMs + resumeWindowMs * LATE_SHARE);
        return;
      }
      this.#end(client);
      forgotten += 1;
    }
  }

  #end(client: Client): void {
    this.recall(client);
    this.#options.onForgotten(client);
  }

  /** A key changed, step by step: what those who are gone may no longer hear is noted as it is for those who are here. */
  *decideAgain(keyId: string): Steps {
    for (const client of this.#byKey.get(keyId)?.clients ?? []) {
      const absence = this.#kept.get(client)?.absence;
      if (absence === undefined) continue;
      if (absence.mayStill()) withdrawWhere(client, (channel) => !absence.mayStill(channel));
      else withdraw(client);
      yield;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const client of this.#kept.keys()) this.recall(client);
  }
}

function bytesOf({ attendances }: Client): number {
  let bytes = CLIENT_BYTES;
  for (const channel of attendances.keys()) bytes += ATTENDANCE_BYTES + 2 * channel.length;
  return bytes;
}
