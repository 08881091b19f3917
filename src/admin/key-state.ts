import type { KeyRecord } from "../keys/index.ts";
import { readStored } from "../policy/index.ts";
import type { KeyState } from "./schemas/key-view.ts";

/** A key that expires within this time is shown as expiring. */
const SOON_MS = 7 * 24 * 60 * 60 * 1_000;

/** By record, as long as somebody else has the record. */
const READERS = new WeakMap<KeyRecord, KeyStateReader>();

/** A key's state at any instant, from what is read of its record once. */
export class KeyStateReader {
  /** Infinity: never. */
  readonly expiresAtMs: number;
  readonly #fixed: KeyState | undefined;
  /** When each of its secrets ends; Infinity: with the key. */
  readonly #endsMs: readonly number[];

  /** The one of this record: its settings are read once, however often it is shown. */
  static of(record: KeyRecord): KeyStateReader {
    const known = READERS.get(record);
    if (known !== undefined) return known;
    const reader = new KeyStateReader(record);
    READERS.set(record, reader);
    return reader;
  }

  constructor({ settings, secrets }: Pick<KeyRecord, "settings" | "secrets">) {
    const { faults, enabled, expiresAtMs } = readStored(settings);
    this.expiresAtMs = expiresAtMs;
    this.#fixed = faults.length > 0 ? "unreadable" : enabled ? undefined : "disabled";
    this.#endsMs = secrets.map(({ validUntil }) =>
      validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(validUntil),
    );
  }

  at(nowMs: number): KeyState {
    if (this.#fixed !== undefined) return this.#fixed;
    if (this.expiresAtMs <= nowMs) return "expired";
    if (this.#endsMs.filter((endMs) => endMs > nowMs).length > 1) return "rotating";
    return this.expiresAtMs - nowMs < SOON_MS ? "expiring" : "active";
  }
}
