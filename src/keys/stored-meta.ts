import { encodeEntry } from "../store/entry-codec.ts";
import type { OpenCalls } from "../store/open-calls.ts";
import type { StoreMeta } from "./key-store.ts";
import { UnreadableRecordError } from "./records/errors.ts";
import { parseText, type StoredEntries } from "./records/stored-entries.ts";

const PREFIX = "meta:";
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Small named values beside the keys, in the same store. */
export class StoredMeta implements StoreMeta {
  readonly #entries: StoredEntries;
  readonly #calls: OpenCalls;

  constructor(entries: StoredEntries, calls: OpenCalls) {
    this.#entries = entries;
    this.#calls = calls;
  }

  get(name: string): Promise<string | undefined> {
    return this.#calls.run(async () => {
      const value = await this.#entries.value(keyOf(name), name);
      return value === undefined ? undefined : textOf(name, value);
    });
  }

  set(name: string, value: string): Promise<void> {
    return this.#calls.run(() => this.#entries.set(keyOf(name), value));
  }

  setIfAbsent(name: string, value: string): Promise<{ stored: boolean; value: string }> {
    return this.#calls.run(async () => {
      const key = keyOf(name);
      for (;;) {
        const text = await this.#entries.text(key);
        if (text !== undefined) return { stored: false, value: textOf(name, parseText(text, name)) };
        if (await this.#entries.commit([{ key, expect: null, text: encodeEntry(value) }])) {
          return { stored: true, value };
        }
      }
    });
  }

  replace(name: string, expected: string, value: string): Promise<boolean> {
    return this.#calls.run(async () => {
      const key = keyOf(name);
      for (;;) {
        const text = await this.#entries.text(key);
        if (text === undefined || textOf(name, parseText(text, name)) !== expected) return false;
        if (await this.#entries.commit([{ key, expect: text, text: encodeEntry(value) }])) return true;
      }
    });
  }
}

function keyOf(name: string): string {
  if (!NAME.test(name))
    throw new TypeError("a name has 1 to 63 characters of a-z, 0-9 and -, beginning with a letter");
  return PREFIX + name;
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== "string") throw new UnreadableRecordError(name, "damaged", "not text");
  return value;
}
