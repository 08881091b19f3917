import type { KeyRecord } from "../records/key-record.ts";

/** A change that takes rights away and is in force here although the store did not take it. */
export type UnstoredChange = {
  readonly change: "changed" | "rotated" | "deleted";
  /** ISO instant. */
  readonly since: string;
};
/** What became of one: in force, stored by a later try, overtaken by a newer write, or lost with the end of this process. */
export type UnstoredOutcome = "enforced" | "stored" | "overtaken" | "lost";
export type UnstoredListener = (id: string, change: UnstoredChange, outcome: UnstoredOutcome) => void;

type Pending = UnstoredChange & {
  /** What is stored. Whoever writes the key after that has the last word. */
  readonly base: KeyRecord;
  /** What is in force instead: the key as it would be stored, at the version of `base`. */
  readonly record: KeyRecord;
};

/** Keys at once; beyond them a change that cannot be stored is refused. */
const MAX_PENDING = 10_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * Changes that are in force in this process and not stored yet, the newest of each key, and the tries to store them. They
 * do not outlive the process.
 */
export class UnstoredChanges {
  readonly #listener: UnstoredListener | undefined;
  readonly #pending = new Map<string, Pending>();
  #retry: ((id: string) => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delayMs = FIRST_RETRY_MS;
  #closed = false;

  /** Without a listener nothing is put in force: who opens a store for one command cannot enforce anything. */
  constructor(listener: UnstoredListener | undefined) {
    this.#listener = listener;
  }

  /** How one of them is stored; rejects when the store does not take it. Set once, by whoever writes. */
  retryWith(retry: (id: string) => Promise<void>): void {
    this.#retry = retry;
  }

  get size(): number {
    return this.#pending.size;
  }

  of(id: string): UnstoredChange | undefined {
    const found = this.#pending.get(id);
    return found === undefined ? undefined : { change: found.change, since: found.since };
  }

  /** The record that counts: what is stored, unless a change of exactly that is in force. */
  effective(stored: KeyRecord): KeyRecord {
    const pending = this.#pendingOn(stored);
    return pending === undefined ? stored : pending.record;
  }

  isDeleted(stored: KeyRecord): boolean {
    return this.#pendingOn(stored)?.change === "deleted";
  }

  /** Put a change in force. @returns what counts now, or undefined where it cannot be put in force */
  enforce(
    base: KeyRecord,
    narrowed: KeyRecord,
    change: UnstoredChange["change"],
    now: number,
  ): KeyRecord | undefined {
    if (this.#listener === undefined || this.#closed) return undefined;
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(base.id)) return undefined;
    // Another instant than any before, by which readers tell two records of one version apart.
    const before = this.#pending.get(base.id)?.record.updatedAt ?? base.updatedAt;
    const updatedAt = new Date(Math.max(now, Date.parse(before) + 1)).toISOString();
    const record = { ...narrowed, version: base.version, updatedAt };
    const pending = { change, since: new Date(now).toISOString(), base, record };
    this.#pending.set(base.id, pending);
    this.#tell(base.id, pending, "enforced");
    this.#delayMs = FIRST_RETRY_MS;
    this.#schedule();
    return record;
  }

  /** The store has taken a write of this key, or a newer one of somebody else. */
  settle(id: string, outcome: "stored" | "overtaken"): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#tell(id, pending, outcome);
  }

  /** Try to store all of them, one after the other, until the store refuses one. */
  async storeAll(): Promise<void> {
    for (const id of [...this.#pending.keys()]) {
      if (this.#pending.has(id)) await this.#retry?.(id);
    }
  }

  /** One last try; what the store does not take is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.storeAll().catch(() => undefined);
    for (const [id, pending] of this.#pending) this.#tell(id, pending, "lost");
    this.#pending.clear();
  }

  #pendingOn(stored: KeyRecord): Pending | undefined {
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(stored.id);
    const { version, createdAt } = pending?.base ?? {};
    return version === stored.version && createdAt === stored.createdAt ? pending : undefined;
  }

  #tell(id: string, { change, since }: UnstoredChange, outcome: UnstoredOutcome): void {
    this.#listener?.(id, { change, since }, outcome);
  }

  #schedule(): void {
    if (this.#closed || this.#pending.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.storeAll().then(
        () => this.#schedule(),
        () => {
          this.#delayMs = Math.min(this.#delayMs * 2, MAX_RETRY_MS);
          this.#schedule();
        },
      );
    }, this.#delayMs).unref();
  }
}
