import { expect } from "chai";
import { openKeyStore, StoreUnavailableError } from "../../src/keys/index.ts";
import { IMPORTED, type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

/** The part of the contract about the revision, by which readers know that no key was written. */
export function describeKeyStoreRevision(fixture: KeyStoreFixture): void {
  describe("revision", () => {
    it("is another one after each write of a key, and was never there before", async () => {
      const { store } = fixture;
      const seen = [await store.revision()];
      const noteAfter = async (write: Promise<unknown>): Promise<void> => {
        await write;
        seen.push(await store.revision());
      };
      const { record } = await store.create({ n: 0 });
      seen.push(await store.revision());
      await noteAfter(store.createMany([{ settings: {} }]));
      await noteAfter(store.update(record.id, 1, () => ({ n: 1 })));
      await noteAfter(store.rotate(record.id, undefined, { overlapUntil: null }));
      await noteAfter(store.delete(record.id));
      await noteAfter(store.importAll([record], { onExisting: "refuse" }));
      await noteAfter(store.importAll([record], { onExisting: "replace" }));
      expect(new Set(seen).size).to.equal(8);
    });

    it("stays the same for what is no write of a key", async () => {
      const { store } = fixture;
      const { record } = await store.create({ n: 0 });
      const before = await store.revision();
      const at = "2026-11-23T00:00:00.000Z";
      await store.recordUsage([{ id: record.id, lastUsedAt: at, allowed: 1, denied: {} }]);
      await store.log.append([{ at, text: "said" }], { durable: true });
      await store.meta.set("admin-token", "x");
      await store.update(record.id, 2, () => ({}));
      await store.findBySecret(IMPORTED);
      await store.list();
      expect(await store.revision()).to.equal(before);
    });

    it("has changed when a key can be read as it was written", async () => {
      const { store, storage } = fixture;
      const { record } = await store.create({ n: 0 });
      const before = await store.revision();
      const { commit } = storage;
      let during: unknown[] = [];
      storage.commit = async (changes, options) => {
        const done = await commit.call(storage, changes, options);
        during = [(await store.get(record.id))?.version, (await store.revision()) !== before];
        return done;
      };
      await store.update(record.id, 1, () => ({ n: 1 }));
      expect(during).to.deep.equal([2, true]);
    });

    it("is not told by a store that is away", async () => {
      const { storage } = await fixture.freshStorage();
      const store = await openKeyStore(storage);
      storage.revision = () => {
        throw new Error("away");
      };
      await rejects((async () => store.revision())(), StoreUnavailableError);
      storage.revision = () => Promise.reject(new Error("away"));
      await rejects((async () => store.revision())(), StoreUnavailableError);
      await store.close();
    });
  });
}
