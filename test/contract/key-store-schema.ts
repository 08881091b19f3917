import { expect } from "chai";
import type { KeyStoreFixture } from "./key-store-fixture.ts";

const exported = (id: string, schema: number, settings: object): object => ({
  schema,
  id,
  version: 1,
  settings,
  secrets: [],
  createdAt: "2026-11-23T00:00:00.000Z",
  updatedAt: "2026-11-23T00:00:00.000Z",
});

/** The part of the contract about programs of different age on one store. */
export function describeKeyStoreSchema(fixture: KeyStoreFixture): void {
  describe("the schema of what it stores", () => {
    it("writes what an older program reads as it wrote it, and names the schema of what it would misread", async () => {
      const textOf = (id: string) => fixture.storage.get(`key:${id}`);
      const old = { name: "old", limits: [{ name: "a", limit: 1, windowSeconds: 1, per: "key" }] };
      const { record } = await fixture.store.create(old);
      expect(await textOf(record.id)).to.equal(
        JSON.stringify({ value: { ...record, schema: 1, settings: old } }),
      );
      await fixture.store.update(record.id, 1, (settings) => ({ ...settings, name: "renamed" }));

      const updated = await fixture.store.update(record.id, 2, (settings) => ({
        ...settings,
        broadcastTo: "everyone",
      }));
      expect(updated).to.have.nested.property("record.schema").that.equals(2);
      expect(await textOf(record.id)).to.include('"schema":2');
      // The settings of before are kept as they were, and a key without the new ones is schema 1 again.
      expect(await fixture.storage.get(`history:${record.id}:0000000000000002`)).to.include('"schema":1');
      const back = await fixture.store.update(record.id, 3, () => ({ name: "plain" }));
      expect(back).to.have.nested.property("record.schema").that.equals(1);
      expect(await fixture.store.versionOf(record.id, 3))
        .to.have.nested.property("settings.broadcastTo")
        .that.equals("everyone");
    });

    it("names the schema of a newer setting in whichever way it comes", async () => {
      const newer = { name: "newer", limits: [{ name: "a", limit: 1, windowSeconds: 1, kind: "joins" }] };
      const schemaOf = async (id: string | undefined) => (await fixture.store.get(id ?? ""))?.schema;
      expect(await schemaOf((await fixture.store.create(newer)).record.id)).to.equal(2);
      const many = await fixture.store.createMany([{ settings: newer }, { settings: { name: "plain" } }]);
      if (!many.ok) throw new Error(JSON.stringify(many.faults));
      expect(await Promise.all(many.created.map(({ record }) => schemaOf(record.id)))).to.deep.equal([2, 1]);
      const entries = [
        exported("key_a", 2, newer),
        // As an older program exported it: read as what it meant then.
        exported("key_b", 1, { name: "rules", channels: [{ pattern: "**", actions: ["broadcast"] }] }),
        exported("key_c", 1, { name: "plain" }),
      ];
      const result = await fixture.store.importAll(entries, { onExisting: "refuse" });
      expect(result).to.include({ ok: true });
      expect(await Promise.all(["key_a", "key_b", "key_c"].map(schemaOf))).to.deep.equal([2, 2, 1]);
      expect((await fixture.store.get("key_b"))?.settings).to.include({ broadcastTo: "everyone" });
    });

    it("reads a rule of an older program's key that grants broadcasts as one to everyone, and leaves the record", async () => {
      const channels = [{ pattern: "**", actions: ["join", "broadcast"] }];
      const { record, secret } = await fixture.store.create({ name: "old" });
      const text = JSON.stringify({ value: { ...record, schema: 1, settings: { name: "old", channels } } });
      await fixture.plant(`key:${record.id}`, text);
      const read = await fixture.store.findBySecret(secret);
      expect(read?.settings).to.deep.equal({ name: "old", channels, broadcastTo: "everyone" });
      expect(await fixture.storage.get(`key:${record.id}`)).to.equal(text);
      const rotated = await fixture.store.rotate(record.id, undefined, { overlapUntil: null });
      expect(rotated).to.have.nested.property("record.settings.broadcastTo").that.equals("everyone");
      const now = await fixture.store.get(record.id);
      expect(now?.settings).to.deep.equal(read?.settings);
      // What is written since says what it means.
      await fixture.store.update(record.id, 2, () => ({ name: "new", channels }));
      expect((await fixture.store.get(record.id))?.settings).to.deep.equal({ name: "new", channels });
    });
  });
}
