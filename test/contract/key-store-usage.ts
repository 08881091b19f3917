import { expect } from "chai";
import { type KeyUsage, openKeyStore, type UsageReport } from "../../src/keys/index.ts";
import { type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

const AT = "2026-11-23T00:00:00.000Z";
const LATER = "2026-11-23T00:00:01.000Z";

/** The part of the contract about what keys were used for. */
export function describeKeyStoreUsage(fixture: KeyStoreFixture): void {
  describe("usage", () => {
    const report = (id: string, more: Partial<KeyUsage> = {}): UsageReport => ({
      id,
      lastUsedAt: AT,
      allowed: 1,
      denied: {},
      ...more,
    });
    const usageOf = async (id: string) => (await fixture.store.usageOf([id])).get(id);

    it("adds up, keeps the latest use, and is no change of the key", async () => {
      const { record } = await fixture.store.create({});
      const other = await fixture.store.create({});
      let told = 0;
      fixture.store.subscribe(() => {
        told += 1;
      });
      expect(await fixture.store.usageOf([record.id])).to.deep.equal(new Map());
      await fixture.store.recordUsage([
        report(record.id, { lastUsedAt: LATER, allowed: 3, denied: { ip_not_authorized: 2 } }),
        report(other.record.id),
        report(record.id, { allowed: 4, denied: { ip_not_authorized: 1, expired_api_key: 1 } }),
      ]);
      await fixture.store.recordUsage([report(record.id, { denied: { expired_api_key: 5 } })]);
      expect(await fixture.store.usageOf([record.id, "key_none", "", other.record.id])).to.deep.equal(
        new Map([
          [
            record.id,
            {
              lastUsedAt: LATER,
              allowed: 8,
              denied: { ip_not_authorized: 3, expired_api_key: 6 },
            },
          ],
          [other.record.id, { lastUsedAt: AT, allowed: 1, denied: {} }],
        ]),
      );
      expect(told).to.equal(0);
      expect(await fixture.store.get(record.id)).to.deep.equal(record);
      expect(await fixture.store.sweep([record])).to.deep.equal([]);
    });

    it("adds up rightly when many report at once, through two stores", async () => {
      const { record } = await fixture.store.create({});
      const other = await openKeyStore(fixture.storage);
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          (n % 2 ? other : fixture.store).recordUsage([report(record.id, { denied: { a: 2 } })]),
        ),
      );
      expect(await usageOf(record.id)).to.deep.equal({ lastUsedAt: AT, allowed: 40, denied: { a: 80 } });
    });

    it("takes many keys at once", async () => {
      const created = await fixture.store.createMany(Array.from({ length: 600 }, () => ({ settings: {} })));
      if (!created.ok) throw new Error("not created");
      const ids = created.created.map(({ record }) => record.id);
      await fixture.store.recordUsage(ids.map((id) => report(id)));
      const usage = await fixture.store.usageOf(ids);
      expect(usage.size).to.equal(600);
      expect([...usage.values()].every((one) => one?.allowed === 1)).to.equal(true);
    });

    it("goes with the key, and a late report does not bring it back", async () => {
      const { record } = await fixture.store.create({});
      await fixture.store.recordUsage([report(record.id)]);
      await fixture.store.delete(record.id);
      await fixture.store.recordUsage([report(record.id), report("key_none"), report("../x")]);
      expect(await fixture.storage.keys("", { limit: 9 })).to.deep.equal(["store:revision", "store:schema"]);
    });

    it("does not bring it back either when the key is deleted while the report is written", async () => {
      const { record } = await fixture.store.create({});
      const kept = await fixture.store.create({});
      const { commit } = fixture.storage;
      let deletes = 1;
      fixture.storage.commit = async (changes, options) => {
        if (deletes > 0 && changes.some(({ key }) => key.startsWith("usage:"))) {
          deletes -= 1;
          await fixture.store.delete(record.id);
        }
        return commit.call(fixture.storage, changes, options);
      };
      await fixture.store.recordUsage([report(record.id), report(kept.record.id)]);
      expect(await fixture.storage.keys("usage:", { limit: 9 })).to.deep.equal([`usage:${kept.record.id}`]);
    });

    it("keeps a bounded number of codes, and counts the others as other", async () => {
      const { record } = await fixture.store.create({});
      const codes = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`code_${n}`, 1]));
      await fixture.store.recordUsage([report(record.id, { denied: codes })]);
      const hostile = JSON.parse('{"__proto__":2,"Not a code":3,"code_49":1,"code_0":1}');
      await fixture.store.recordUsage([report(record.id, { denied: hostile })]);
      const { denied = {} } = (await usageOf(record.id)) ?? {};
      expect(Object.keys(denied)).to.have.length(41);
      expect(denied).to.include({ code_0: 2, code_39: 1, other: 16 });
    });

    it("does not wait for the disk, and refuses what is no report", async () => {
      const { record } = await fixture.store.create({});
      const asked: unknown[] = [];
      const { commit } = fixture.storage;
      fixture.storage.commit = (changes, options) => {
        asked.push(options);
        return commit.call(fixture.storage, changes, options);
      };
      await fixture.store.recordUsage([report(record.id)]);
      await fixture.store.recordUsage([]);
      expect(asked).to.deep.equal([{ flushed: false }]);
      for (const wrong of [
        { lastUsedAt: "yesterday" },
        { allowed: -1 },
        { allowed: 0.5 },
        { denied: { a: Number.NaN } },
      ]) {
        await rejects(fixture.store.recordUsage([report(record.id, wrong)]), TypeError);
      }
    });

    it("begins again where counts are damaged, leaves newer ones as they are, and tells both", async () => {
      const [one, two] = await Promise.all([fixture.store.create({}), fixture.store.create({})]);
      const damaged = one.record.id;
      const newer = two.record.id;
      const text = JSON.stringify({ value: { schema: 2, sketch: "…" } });
      await fixture.plant(`usage:${damaged}`, '{"value":{"schema":1,"allowed":-1}}');
      await fixture.plant(`usage:${newer}`, text);
      expect(await fixture.store.usageOf([damaged, newer])).to.deep.equal(
        new Map([
          [damaged, undefined],
          [newer, undefined],
        ]),
      );
      await fixture.store.recordUsage([report(damaged), report(newer)]);
      expect(await usageOf(damaged)).to.deep.equal({ lastUsedAt: AT, allowed: 1, denied: {} });
      expect(await fixture.storage.get(`usage:${newer}`)).to.equal(text);
    });
  });
}
