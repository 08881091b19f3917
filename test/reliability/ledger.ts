import { expect } from "chai";
import {
  digestOf,
  type KeyRecord,
  type KeyStore,
  openKeyStorage,
  openKeyStore,
  parseKeyRecord,
  validSecret,
} from "../../src/keys/index.ts";
import type { Writer } from "./writers.ts";

type Pending =
  | { readonly kind: "update"; readonly nonce: string }
  | { readonly kind: "rotate"; readonly overlaps: boolean }
  | { readonly kind: "delete" };

/** A key as far as its writes were acknowledged, and the write whose answer has not come. */
type Entry = {
  readonly id: string;
  version: number;
  nonce: string;
  /** Those that must work, and those that must not. */
  good: string[];
  bad: string[];
  pending: Pending | undefined;
};

export type Acknowledged = { readonly action: string; readonly keyId: string };

const MAX_KEYS = 150;
const WRITERS = 8;
const OVERLAP_SECONDS = 3_600;

/** What a store was told, to be compared with what it has after its process was killed. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #deleted: string[] = [];
  readonly #createsUnderWay = new Set<string>();
  #nonces = 0;
  acknowledged = 0;
  /** Kills that met at least one write under way, and writes that were there although nobody was told. */
  unanswered = 0;
  unansweredButDone = 0;

  /**
   * Write with several hands until the process is killed `afterMs` after its first answer.
   * @returns what was acknowledged, in the audit's words
   */
  async writeUntilKilled(writer: Writer, afterMs: number): Promise<Acknowledged[]> {
    const done: Acknowledged[] = [];
    const end = { isNear: false };
    let started: () => void = () => {};
    const firstAnswer = new Promise<void>((resolve) => {
      started = resolve;
    });
    const faults: unknown[] = [];
    const hand = async (): Promise<void> => {
      try {
        for (;;) {
          done.push(await this.#write(writer));
          this.acknowledged += 1;
          started();
        }
      } catch (error) {
        if (!end.isNear) faults.push(error);
        started();
      }
    };
    const hands = Array.from({ length: WRITERS }, hand);
    await firstAnswer;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    end.isNear = true;
    await writer.kill();
    await Promise.all(hands);
    if (faults.length > 0) throw faults[0];
    const open = [...this.#entries.values()].filter(({ pending }) => pending !== undefined).length;
    if (open + this.#createsUnderWay.size > 0) this.unanswered += 1;
    return done;
  }

  /** Open the store and compare: everything acknowledged is there, everything else is there whole or not at all. */
  async verify(url: string): Promise<void> {
    const store = await openKeyStore(url);
    const records = await allRecords(store);
    for (const entry of this.#entries.values()) {
      const record = records.get(entry.id);
      records.delete(entry.id);
      await this.#verifyEntry(store, entry, record);
    }
    for (const secret of this.#deleted) expect(await grants(store, secret), "a deleted key").to.equal(false);
    this.#deleted.length = 0;
    // What is left was made by a call that was never answered.
    for (const record of records.values()) {
      const nonce = String(record.settings["name"]);
      expect(this.#createsUnderWay.has(nonce), `a key that nobody made: ${JSON.stringify(record)}`).to.equal(
        true,
      );
      expect(record).to.include({ version: 1 });
      expect(record.secrets).to.have.length(1);
      this.unansweredButDone += 1;
      this.#entries.set(record.id, {
        id: record.id,
        version: 1,
        nonce,
        good: [],
        bad: [],
        pending: undefined,
      });
    }
    this.#createsUnderWay.clear();
    await store.close();
    await expectWhole(url);
  }

  /** The secrets that must and must not work by what was acknowledged; those of unanswered writes are left out. */
  secrets(): { good: string[]; bad: string[] } {
    const settled = [...this.#entries.values()].filter(({ pending }) => pending === undefined);
    return {
      good: settled.flatMap(({ good }) => good.slice(-1)),
      bad: [...settled.flatMap(({ bad }) => bad.slice(-1)), ...this.#deleted],
    };
  }

  async #write(writer: Writer): Promise<Acknowledged> {
    const free = [...this.#entries.values()].filter(({ pending }) => pending === undefined);
    const entry = free[Math.floor(Math.random() * free.length)];
    const dice = Math.random();
    if (entry === undefined || (dice < 0.3 && this.#entries.size < MAX_KEYS)) return this.#create(writer);
    if (dice < 0.6) {
      const nonce = this.#nonce();
      entry.pending = { kind: "update", nonce };
      entry.version = await writer.update(entry.id, entry.version, nonce);
      entry.nonce = nonce;
      entry.pending = undefined;
      return { action: "key.changed", keyId: entry.id };
    }
    if (dice < 0.8) {
      // A key has five secrets at most, of which one may be unknown here.
      const overlaps = entry.good.length < 3 && Math.random() < 0.5;
      entry.pending = { kind: "rotate", overlaps };
      const { version, secret } = await writer.rotate(
        entry.id,
        entry.version,
        overlaps ? OVERLAP_SECONDS : 0,
      );
      this.#rotated(entry, version, overlaps, secret);
      return { action: "key.rotated", keyId: entry.id };
    }
    entry.pending = { kind: "delete" };
    await writer.remove(entry.id, entry.version);
    this.#forget(entry);
    return { action: "key.deleted", keyId: entry.id };
  }

  async #create(writer: Writer): Promise<Acknowledged> {
    const nonce = this.#nonce();
    this.#createsUnderWay.add(nonce);
    const { id, secret, version } = await writer.create(nonce);
    this.#createsUnderWay.delete(nonce);
    this.#entries.set(id, { id, version, nonce, good: [secret], bad: [], pending: undefined });
    return { action: "key.created", keyId: id };
  }

  #rotated(entry: Entry, version: number, overlaps: boolean, secret: string | undefined): void {
    if (!overlaps) entry.bad.push(...entry.good.splice(0));
    if (secret !== undefined) entry.good.push(secret);
    entry.version = version;
    entry.pending = undefined;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#deleted.push(...entry.good, ...entry.bad);
  }

  async #verifyEntry(store: KeyStore, entry: Entry, record: KeyRecord | undefined): Promise<void> {
    const { pending } = entry;
    if (record === undefined) {
      expect(pending, `an acknowledged key is gone: ${entry.id}`).to.deep.equal({ kind: "delete" });
      this.unansweredButDone += 1;
      this.#forget(entry);
      return;
    }
    if (pending !== undefined && record.version === entry.version + 1) {
      this.unansweredButDone += 1;
      if (pending.kind === "update") Object.assign(entry, { version: record.version, nonce: pending.nonce });
      else if (pending.kind === "rotate") this.#rotated(entry, record.version, pending.overlaps, undefined);
    }
    entry.pending = undefined;
    expect({ version: record.version, name: record.settings["name"] }).to.deep.equal({
      version: entry.version,
      name: entry.nonce,
    });
    for (const secret of entry.good) expect(await grants(store, secret), "a secret").to.equal(true);
    for (const secret of entry.bad) expect(await grants(store, secret), "an ended secret").to.equal(false);
  }

  #nonce(): string {
    this.#nonces += 1;
    return `write ${this.#nonces}`;
  }
}

async function grants(store: KeyStore, secret: string): Promise<boolean> {
  const record = await store.findBySecret(secret);
  return record !== undefined && validSecret(record, digestOf(secret), Date.now()) !== undefined;
}

async function allRecords(store: KeyStore): Promise<Map<string, KeyRecord>> {
  const records = new Map<string, KeyRecord>();
  let after: string | undefined;
  do {
    const { items, next, unreadable } = await store.list({ limit: 1_000, after });
    expect(unreadable).to.deep.equal([]);
    for (const record of items) records.set(record.id, record);
    after = next ?? undefined;
  } while (after !== undefined);
  return records;
}

/** Entry by entry: a secret's entry and the record that lists it come and go together, and so does what hangs on it. */
async function expectWhole(url: string): Promise<void> {
  const storage = await openKeyStorage(url);
  const range = (prefix: string) => storage.range(prefix, { limit: 1_000_000 });
  const listed: string[] = [];
  const ids = new Set<string>();
  for (const { key, text } of await range("key:")) {
    const id = key.slice("key:".length);
    const record = parseKeyRecord(id, JSON.parse(text).value);
    ids.add(id);
    listed.push(...record.secrets.map(({ digest }) => `${digest} ${id}`));
  }
  const found = (await range("secret:")).map(
    ({ key, text }) => `${key.slice("secret:".length)} ${JSON.parse(text).value}`,
  );
  expect(found.sort()).to.deep.equal(listed.sort());
  for (const prefix of ["history:", "usage:"]) {
    for (const { key } of await range(prefix)) expect(ids.has(key.split(":")[1] ?? ""), key).to.equal(true);
  }
  await storage.disconnect();
}
