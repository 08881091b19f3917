import { expect } from "chai";
import type { KeyChange } from "../../src/keys/index.ts";
import { IMPORTED, type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

/** The part of the contract about changing keys, and who hears of it. */
export function describeKeyStoreChanges(fixture: KeyStoreFixture): void {
  describe("update", () => {
    it("replaces the settings and counts the version up", async () => {
      const { record, secret } = await fixture.store.create({ name: "a", list: [1] });
      const result = await fixture.store.update(record.id, 1, (settings) => ({ ...settings, name: "b" }));
      if (!result.ok) throw new Error(result.reason);
      expect(result.record).to.include({ version: 2, createdAt: record.createdAt });
      expect(result.record.settings).to.deep.equal({ name: "b", list: [1] });
      expect(await fixture.store.get(record.id)).to.deep.equal(result.record);
      expect(await fixture.store.findBySecret(secret)).to.deep.equal(result.record);
    });

    it("refuses a stale version with the current one, and an unknown key", async () => {
      const { record } = await fixture.store.create({ name: "a" });
      await fixture.store.update(record.id, 1, () => ({ name: "b" }));
      expect(await fixture.store.update(record.id, 1, () => ({ name: "c" }))).to.deep.equal({
        ok: false,
        reason: "version_conflict",
        currentVersion: 2,
      });
      expect((await fixture.store.get(record.id))?.settings).to.deep.equal({ name: "b" });
      for (const id of ["key_none", "", "x".repeat(5000), "key:a"]) {
        const missing = { ok: false, reason: "not_found", currentVersion: null };
        expect(await fixture.store.update(id, 1, () => ({}))).to.deep.equal(missing);
        expect(await fixture.store.delete(id)).to.deep.equal(missing);
        expect(await fixture.store.get(id)).to.equal(undefined);
      }
    });

    it("lets exactly one of many with the same version win", async () => {
      const { record } = await fixture.store.create({ n: 0 });
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) => fixture.store.update(record.id, 1, () => ({ n }))),
      );
      expect(results.filter(({ ok }) => ok)).to.have.length(1);
      expect((await fixture.store.get(record.id))?.version).to.equal(2);
    });

    it("writes nothing when the change throws", async () => {
      const { record } = await fixture.store.create({ n: 0 });
      const fault = new RangeError("not these");
      const change = (): never => {
        throw fault;
      };
      expect(await rejects(fixture.store.update(record.id, 1, change), RangeError)).to.equal(fault);
      expect(await fixture.store.get(record.id)).to.deep.equal(record);
    });
  });

  describe("delete", () => {
    it("takes the key and its secret away, and the secret may be used again", async () => {
      const { record } = await fixture.store.create({}, { secret: IMPORTED });
      expect(await fixture.store.delete(record.id, 2)).to.include({ ok: false, currentVersion: 1 });
      expect(await fixture.store.delete(record.id, 1)).to.deep.equal({ ok: true });
      expect(await fixture.store.get(record.id)).to.equal(undefined);
      expect(await fixture.store.findBySecret(IMPORTED)).to.equal(undefined);
      const left = await fixture.storage.range("", { limit: 10 });
      expect(left.map(({ key }) => key)).to.deep.equal(["store:revision", "store:schema"]);
      await fixture.store.create({}, { secret: IMPORTED });
    });
  });

  describe("change feed", () => {
    it("tells each change once it is stored and before the write answers", async () => {
      const told: KeyChange[] = [];
      let answered = 0;
      const order: number[] = [];
      fixture.store.subscribe((change) => {
        told.push(change);
        order.push(answered);
      });
      const { record } = await fixture.store.create({ n: 1 }).finally(() => {
        answered += 1;
      });
      const updated = await fixture.store
        .update(record.id, 1, () => ({ n: 2 }))
        .finally(() => {
          answered += 1;
        });
      await fixture.store.update(record.id, 1, () => ({ n: 3 }));
      await fixture.store.delete(record.id).finally(() => {
        answered += 1;
      });
      expect(order).to.deep.equal([0, 1, 2]);
      expect(told).to.deep.equal([
        { type: "created", id: record.id, record },
        { type: "updated", id: record.id, record: updated.ok ? updated.record : undefined },
        { type: "deleted", id: record.id, record: undefined },
      ]);
    });

    it("tells the changes of a key in their order, also those made at once", async () => {
      const { record } = await fixture.store.create({});
      const versions: number[] = [];
      fixture.store.subscribe(({ record: now }) => versions.push(now?.version ?? 0));
      await Promise.all([
        fixture.store.update(record.id, 1, () => ({})),
        fixture.store.update(record.id, 2, () => ({})),
        fixture.store.update(record.id, 3, () => ({})),
        fixture.store.delete(record.id),
      ]);
      expect(versions).to.deep.equal([2, 3, 4, 0]);
    });

    it("goes on when a listener throws, and stops telling who unsubscribed", async () => {
      const faults: unknown[] = [];
      await fixture.open({ onListenerError: (error) => faults.push(error) });
      let told = 0;
      const listener = (): void => {
        told += 1;
      };
      fixture.store.subscribe(() => {
        throw new Error("listener");
      });
      const end = fixture.store.subscribe(listener);
      fixture.store.subscribe(listener);
      await fixture.store.create({});
      expect(told).to.equal(2);
      expect(faults).to.have.length(1);
      end();
      end();
      await fixture.store.create({});
      expect(told).to.equal(3);
    });
  });

  describe("sweep", () => {
    it("tells which of the known keys changed, were deleted or cannot be read, and no others", async () => {
      const [same, changed, gone, broken] = await Promise.all(
        [1, 2, 3, 4].map((n) => fixture.store.create({ n })),
      );
      if (!same || !changed || !gone || !broken) throw new Error("not created");
      const known = [same, changed, gone, broken].map(({ record }) => record);
      expect(await fixture.store.sweep(known)).to.deep.equal([]);
      const result = await fixture.store.update(changed.record.id, 1, () => ({ n: 20 }));
      await fixture.store.delete(gone.record.id);
      await fixture.plant(`key:${broken.record.id}`, "[]");
      expect(await fixture.store.sweep(known)).to.deep.equal([
        { type: "updated", id: changed.record.id, record: result.ok ? result.record : undefined },
        { type: "deleted", id: gone.record.id, record: undefined },
        { type: "updated", id: broken.record.id, record: undefined },
      ]);
    });

    it("sees a key that was deleted and made again with the same id", async () => {
      let now = 1_000;
      await fixture.open({ clock: () => now });
      const { record } = await fixture.store.create({ n: 1 }, { id: "key_a" });
      await fixture.store.delete("key_a");
      now += 1;
      const again = await fixture.store.create({ n: 2 }, { id: "key_a" });
      expect(await fixture.store.sweep([record])).to.deep.equal([
        { type: "updated", id: "key_a", record: again.record },
      ]);
    });
  });
}
