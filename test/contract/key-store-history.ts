import { expect } from "chai";
import { UnreadableRecordError } from "../../src/keys/index.ts";
import { type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

/** The part of the contract about the settings that a key had before. */
export function describeKeyStoreHistory(fixture: KeyStoreFixture): void {
  describe("history", () => {
    const edit = async (id: string, first: number, last: number): Promise<void> => {
      for (let version = first; version < last; version += 1) {
        const result = await fixture.store.update(id, version, () => ({ n: version + 1 }));
        if (!result.ok) throw new Error(result.reason);
      }
    };
    const versionsOf = async (id: string): Promise<number[]> =>
      (await fixture.store.history(id, { limit: 100 })).items.map(({ version }) => version);
    const historyKey = (id: string, version: number): string =>
      `history:${id}:${String(version).padStart(16, "0")}`;

    it("keeps earlier settings, newest first, and lets one be put back", async () => {
      let now = 1_000;
      await fixture.open({ clock: () => now });
      const { record } = await fixture.store.create({ n: 1 });
      expect(await fixture.store.history(record.id)).to.deep.equal({ items: [], unreadable: [], next: null });
      now += 1;
      await edit(record.id, 1, 3);
      const items = [
        { version: 2, settings: { n: 2 }, updatedAt: "1970-01-01T00:00:01.001Z" },
        { version: 1, settings: { n: 1 }, updatedAt: "1970-01-01T00:00:01.000Z" },
      ];
      expect(await fixture.store.history(record.id)).to.deep.equal({ items, unreadable: [], next: null });
      const first = await fixture.store.versionOf(record.id, 1);
      expect(first).to.deep.equal(items[1]);
      const undone = await fixture.store.update(record.id, 3, () => first?.settings ?? {});
      expect(undone.ok && undone.record).to.deep.include({ version: 4, settings: { n: 1 } });
      expect(await versionsOf(record.id)).to.deep.equal([3, 2, 1]);
    });

    it("does not know the version in force, later ones and other keys", async () => {
      const { record } = await fixture.store.create({ n: 1 }, { id: "key_a" });
      await fixture.store.create({}, { id: "key_ab" });
      await edit("key_ab", 1, 5);
      await edit(record.id, 1, 2);
      for (const version of [0, -1, 1.5, 2, 3, 1e15, Number.NaN]) {
        expect(await fixture.store.versionOf(record.id, version)).to.equal(undefined);
      }
      expect(await versionsOf("key_a")).to.deep.equal([1]);
      for (const id of ["key_none", "", "../x"]) {
        expect(await fixture.store.versionOf(id, 1)).to.equal(undefined);
        expect((await fixture.store.history(id)).items).to.deep.equal([]);
      }
    });

    it("is read page by page", async () => {
      const { record } = await fixture.store.create({ n: 1 });
      await edit(record.id, 1, 8);
      const seen: number[][] = [];
      let before: number | undefined;
      do {
        const page = await fixture.store.history(record.id, { limit: 3, before });
        seen.push(page.items.map(({ version }) => version));
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(seen).to.deep.equal([[7, 6, 5], [4, 3, 2], [1]]);
      for (const limit of [0, 101, 1.5]) {
        await rejects(fixture.store.history(record.id, { limit }), RangeError);
      }
      await rejects(fixture.store.history(record.id, { before: 0 }), RangeError);
    });

    it("keeps the last 100 versions", async () => {
      const { record } = await fixture.store.create({ n: 1 });
      await edit(record.id, 1, 104);
      expect(await versionsOf(record.id)).to.deep.equal(Array.from({ length: 100 }, (_, n) => 103 - n));
      expect(await fixture.storage.keys("history:", { limit: 200 })).to.have.length(100);
    });

    it("goes with the key, and does not come back with its id", async () => {
      const { record } = await fixture.store.create({ n: 1 }, { id: "key_a" });
      await edit(record.id, 1, 4);
      await fixture.store.delete(record.id);
      expect(await fixture.storage.keys("", { limit: 9 })).to.deep.equal(["store:revision", "store:schema"]);
      await fixture.store.create({ n: 1 }, { id: "key_a" });
      expect(await versionsOf("key_a")).to.deep.equal([]);
    });

    it("is written in the transaction of the write, or not at all", async () => {
      const { record } = await fixture.store.create({ n: 1 });
      const commits: string[][] = [];
      const { commit } = fixture.storage;
      fixture.storage.commit = (changes, options) => {
        commits.push(changes.map(({ key }) => key.slice(0, key.indexOf(":"))));
        return commit.call(fixture.storage, changes, options);
      };
      await edit(record.id, 1, 2);
      await fixture.store.update(record.id, 1, () => ({}));
      expect(commits).to.deep.equal([["key", "history", "store"]]);
    });

    it("names what it cannot read, leaves what is newer, and is deleted with the key all the same", async () => {
      const { record } = await fixture.store.create({ n: 1 });
      await edit(record.id, 1, 4);
      await fixture.plant(historyKey(record.id, 2), "{");
      const newer = JSON.stringify({ value: { schema: 3, version: 3 } });
      await fixture.plant(historyKey(record.id, 3), newer);
      const page = await fixture.store.history(record.id);
      expect(page.items.map(({ version }) => version)).to.deep.equal([1]);
      expect(page.unreadable).to.deep.equal([3, 2]);
      const damaged = await rejects(fixture.store.versionOf(record.id, 2), UnreadableRecordError);
      expect(damaged.reason).to.equal("damaged");
      const unknown = await rejects(fixture.store.versionOf(record.id, 3), UnreadableRecordError);
      expect(unknown.reason).to.equal("newer_schema");
      expect(await fixture.storage.get(historyKey(record.id, 3))).to.equal(newer);
      await fixture.store.delete(record.id, 4);
      expect(await fixture.storage.keys("history:", { limit: 9 })).to.deep.equal([]);
    });
  });
}
