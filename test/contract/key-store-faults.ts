import { expect } from "chai";
import {
  type Change,
  DuplicateSecretError,
  openKeyStore,
  StoreUnavailableError,
  UnreadableRecordError,
} from "../../src/keys/index.ts";
import { collect, IMPORTED, type KeyStoreFixture, rejects, turns } from "./key-store-fixture.ts";

const EXPORTED = {
  schema: 1,
  id: "key_a",
  version: 1,
  settings: {},
  secrets: [],
  createdAt: "2026-11-23T00:00:00.000Z",
  updatedAt: "2026-11-23T00:00:00.000Z",
};

/** The part of the contract about damaged data, a storage that fails, durability and the end. */
export function describeKeyStoreFaults(fixture: KeyStoreFixture): void {
  describe("what it cannot read", () => {
    const damage: Record<string, (record: object) => string> = {
      "no JSON": () => "{",
      "no envelope": () => '"text"',
      "no value": () => "{}",
      "null as value": () => '{"value":null}',
      "another id": (record) => JSON.stringify({ value: { ...record, id: "key_other" } }),
      "a field of no known name": (record) => JSON.stringify({ value: { ...record, more: 1 } }),
      "a version of 0": (record) => JSON.stringify({ value: { ...record, version: 0 } }),
      "secrets that are none": (record) => JSON.stringify({ value: { ...record, secrets: [{}] } }),
      "30 February": (record) =>
        JSON.stringify({ value: { ...record, createdAt: "2026-02-30T00:00:00.000Z" } }),
    };
    for (const [what, textOf] of Object.entries(damage)) {
      it(`says so, and never "not found": ${what}`, async () => {
        const { record, secret } = await fixture.store.create({});
        const text = textOf(record);
        await fixture.plant(`key:${record.id}`, text);
        for (const attempt of [
          fixture.store.get(record.id),
          fixture.store.findBySecret(secret),
          fixture.store.update(record.id, 1, () => ({})),
          fixture.store.delete(record.id, 1),
        ]) {
          const error = await rejects(attempt, UnreadableRecordError);
          expect(error).to.include({ id: record.id, reason: "damaged" });
        }
        expect(await fixture.storage.get(`key:${record.id}`)).to.equal(text);
        await rejects(fixture.store.create({}, { secret }), DuplicateSecretError);
      });
    }

    it("lets a damaged key be deleted, and its secret be used again", async () => {
      const { record } = await fixture.store.create({}, { secret: IMPORTED });
      await fixture.plant(`key:${record.id}`, "{");
      expect(await fixture.store.delete(record.id)).to.deep.equal({ ok: true });
      expect(await fixture.store.findBySecret(IMPORTED)).to.equal(undefined);
      const again = await fixture.store.create({}, { secret: IMPORTED });
      expect((await fixture.store.findBySecret(IMPORTED))?.id).to.equal(again.record.id);
    });

    it("leaves a record of a newer schema as it is", async () => {
      const { record, secret } = await fixture.store.create({});
      const text = JSON.stringify({ value: { ...record, schema: 3, secrets: "elsewhere" } });
      await fixture.plant(`key:${record.id}`, text);
      for (const attempt of [
        fixture.store.get(record.id),
        fixture.store.findBySecret(secret),
        fixture.store.update(record.id, 1, () => ({})),
        fixture.store.delete(record.id),
      ]) {
        const error = await rejects(attempt, UnreadableRecordError);
        expect(error).to.include({ id: record.id, reason: "newer_schema" });
      }
      expect(await fixture.storage.get(`key:${record.id}`)).to.equal(text);
    });

    it("refuses to open a store with a newer record or mark, changes nothing and lets go of it", async () => {
      const { record } = await fixture.store.create({});
      const newer = JSON.stringify({ value: { ...record, schema: 3 } });
      for (const [key, text] of [
        [`key:${record.id}`, newer],
        ["store:schema", JSON.stringify({ value: 3 })],
      ] as const) {
        const planted = await fixture.freshStorage();
        await planted.storage.commit([{ key, text }]);
        const before = await planted.storage.range("", { limit: 10 });
        const { disconnect, range } = planted.storage;
        let after: unknown;
        planted.storage.disconnect = async () => {
          after = await range.call(planted.storage, "", { limit: 10 });
          await disconnect.call(planted.storage);
        };
        const error = await rejects(openKeyStore(planted.storage), UnreadableRecordError);
        expect(error.reason).to.equal("newer_schema");
        if (key === "store:schema") expect(after).to.deep.equal(before);
        await planted.dispose();
      }
    });

    it("opens with a damaged record, which denies by itself", async () => {
      const planted = await fixture.freshStorage();
      await planted.storage.commit([{ key: "key:key_a", text: "{" }]);
      const other = await openKeyStore(planted.storage);
      await rejects(other.get("key_a"), UnreadableRecordError);
      await other.close();
      await planted.dispose();
    });
  });

  describe("faults of the storage", () => {
    const calls: Record<string, () => Promise<unknown>> = {
      get: () => fixture.store.get("key_a"),
      findBySecret: () => fixture.store.findBySecret(IMPORTED),
      list: () => fixture.store.list(),
      create: () => fixture.store.create({}),
      update: () => fixture.store.update("key_a", 1, () => ({})),
      rotate: () => fixture.store.rotate("key_a", 1, { overlapUntil: null }),
      createMany: () => fixture.store.createMany([{ settings: {} }]),
      history: () => fixture.store.history("key_a"),
      versionOf: () => fixture.store.versionOf("key_a", 1),
      recordUsage: () =>
        fixture.store.recordUsage([
          { id: "key_a", lastUsedAt: "2026-11-23T00:00:00.000Z", allowed: 1, denied: {} },
        ]),
      usageOf: () => fixture.store.usageOf(["key_a"]),
      exportAll: () => collect(fixture.store.exportAll()),
      importAll: () => fixture.store.importAll([EXPORTED], { onExisting: "skip" }),
      "log.append": () =>
        fixture.store.log.append([{ at: "2026-11-23T00:00:00.000Z", text: "" }], { durable: false }),
      "log.page": () => fixture.store.log.page({ limit: 1 }),
      "deeds.append": () => fixture.store.deeds.append([{ at: "2026-11-23T00:00:00.000Z", text: "" }]),
      "deeds.page": () => fixture.store.deeds.page({ limit: 1 }),
      "deeds.verify": () => fixture.store.deeds.verify(),
      "deeds.adopt": () => fixture.store.deeds.adopt(() => true),
      delete: () => fixture.store.delete("key_a"),
      sweep: () => fixture.store.sweep([{ id: "key_a", version: 1, createdAt: "" }]),
      "meta.get": () => fixture.store.meta.get("a"),
      "meta.set": () => fixture.store.meta.set("a", "b"),
      "meta.setIfAbsent": () => fixture.store.meta.setIfAbsent("a", "b"),
      "meta.replace": () => fixture.store.meta.replace("a", "b", "c"),
    };
    for (const [call, make] of Object.entries(calls)) {
      it(`are StoreUnavailableError, never "not found": ${call}`, async () => {
        const cause = new Error("EIO: i/o error");
        const fail = (): Promise<never> => Promise.reject(cause);
        Object.assign(fixture.storage, { get: fail, set: fail, commit: fail, range: fail, keys: fail });
        const error = await rejects(make(), StoreUnavailableError);
        expect(error.cause).to.equal(cause);
      });
    }

    it("tell nobody of a change whose write failed", async () => {
      const { record } = await fixture.store.create({});
      let told = 0;
      fixture.store.subscribe(() => {
        told += 1;
      });
      fixture.storage.commit = () => Promise.reject(new Error("ENOSPC"));
      await rejects(fixture.store.create({}), StoreUnavailableError);
      await rejects(
        fixture.store.update(record.id, 1, () => ({})),
        StoreUnavailableError,
      );
      await rejects(fixture.store.delete(record.id), StoreUnavailableError);
      await rejects(fixture.store.rotate(record.id, 1, { overlapUntil: null }), StoreUnavailableError);
      await rejects(fixture.store.createMany([{ settings: {} }]), StoreUnavailableError);
      await rejects(fixture.store.importAll([EXPORTED], { onExisting: "skip" }), StoreUnavailableError);
      expect(told).to.equal(0);
    });
  });

  describe("writes", () => {
    const writes: Record<string, (id: string) => Promise<unknown>> = {
      create: () => fixture.store.create({}),
      createMany: () => fixture.store.createMany([{ settings: {} }]),
      update: (id) => fixture.store.update(id, 1, () => ({})),
      rotate: (id) => fixture.store.rotate(id, 1, { overlapUntil: null }),
      delete: (id) => fixture.store.delete(id),
      importAll: () => fixture.store.importAll([EXPORTED], { onExisting: "refuse" }),
    };
    for (const [write, make] of Object.entries(writes)) {
      it(`answer, and tell the change feed, only when the storage says that they are durable: ${write}`, async () => {
        const { record } = await fixture.store.create({});
        let flush = (): void => undefined;
        const flushed = new Promise<void>((resolve) => {
          flush = resolve;
        });
        const { commit } = fixture.storage;
        let wasCommitted = (): void => undefined;
        const committed = new Promise<void>((resolve) => {
          wasCommitted = resolve;
        });
        fixture.storage.commit = async (changes: readonly Change[], options) => {
          expect(options?.flushed).to.not.equal(false);
          const done = await commit.call(fixture.storage, changes, options);
          wasCommitted();
          await flushed;
          return done;
        };
        const order: string[] = [];
        fixture.store.subscribe(() => order.push("told"));
        const answered = make(record.id).then(() => order.push("answered"));
        await committed;
        await turns(20);
        expect(order).to.deep.equal([]);
        order.push("flushed");
        flush();
        await answered;
        expect(order).to.deep.equal(["flushed", "told", "answered"]);
      });
    }
  });

  describe("close", () => {
    it("waits for what is under way, refuses what comes later, and may be called again", async () => {
      const created = fixture.store.create({});
      const closed = fixture.store.close();
      await rejects(fixture.store.get("key_a"), StoreUnavailableError);
      await rejects(fixture.store.meta.get("a"), StoreUnavailableError);
      expect((await created).record.version).to.equal(1);
      await Promise.all([closed, fixture.store.close()]);
      await fixture.store.close();
      await rejects(fixture.store.create({}), StoreUnavailableError);
      await rejects(fixture.storage.get("key:key_a"), StoreUnavailableError);
    });
  });
}
