import { expect } from "chai";
import {
  DuplicateIdError,
  DuplicateSecretError,
  digestOf,
  InvalidCursorError,
  InvalidSecretError,
} from "../../src/keys/index.ts";
import { describeKeyStoreBackup } from "./key-store-backup.ts";
import { describeKeyStoreChanges } from "./key-store-changes.ts";
import { describeKeyStoreDeeds } from "./key-store-deeds.ts";
import { describeKeyStoreFaults } from "./key-store-faults.ts";
import { IMPORTED, type KeyStorageHarness, KeyStoreFixture, rejects } from "./key-store-fixture.ts";
import { describeKeyStoreHistory } from "./key-store-history.ts";
import { describeKeyStoreLog } from "./key-store-log.ts";
import { describeKeyStoreRevision } from "./key-store-revision.ts";
import { describeKeyStoreRotation } from "./key-store-rotation.ts";
import { describeKeyStoreSchema } from "./key-store-schema.ts";
import { describeKeyStoreUsage } from "./key-store-usage.ts";

/** The behaviour of a key store, whatever it is stored in. */
export function describeKeyStore(name: string, createHarness: () => Promise<KeyStorageHarness>): void {
  describe(`key store on ${name}`, () => {
    const fixture = new KeyStoreFixture(createHarness);
    beforeEach(() => fixture.open());
    afterEach(() => fixture.close());

    describe("create", () => {
      it("gives a secret that finds the key, and stores its digest only", async () => {
        const { record, secret } = await fixture.store.create({ name: "web" });
        expect(record).to.include({ schema: 1, version: 1 });
        expect(record.settings).to.deep.equal({ name: "web" });
        expect(record.secrets).to.deep.equal([
          { digest: digestOf(secret), hint: `${secret.slice(0, 8)}…`, validUntil: null },
        ]);
        expect(await fixture.store.findBySecret(secret)).to.deep.equal(record);
        expect(await fixture.store.get(record.id)).to.deep.equal(record);
        const texts = (await fixture.storage.range("", { limit: 100 }))
          .map(({ key, text }) => key + text)
          .join();
        expect(texts).to.not.include(secret).and.not.include(secret.slice(8));
      });

      it("gives the record as it is read back: what JSON does not have is gone", async () => {
        const settings = {
          name: "x",
          none: undefined,
          list: [":base64:aGk=", ":x", "\ud800"],
          ["__proto__x"]: 1,
        };
        const { record } = await fixture.store.create(settings);
        expect(record.settings).to.deep.equal({
          name: "x",
          list: [":base64:aGk=", ":x", "\ud800"],
          __proto__x: 1,
        });
        expect(await fixture.store.get(record.id)).to.deep.equal(record);
      });

      it("refuses settings that are no JSON object", async () => {
        for (const settings of [[], { toJSON: () => "text" }]) {
          await rejects(fixture.store.create(settings as unknown as Record<string, unknown>), TypeError);
        }
        expect((await fixture.store.list()).items).to.deep.equal([]);
      });

      it("keeps an imported secret of another form, and a chosen id", async () => {
        const { record, secret } = await fixture.store.create({}, { secret: IMPORTED, id: "key_imported" });
        expect(secret).to.equal(IMPORTED);
        expect(record.id).to.equal("key_imported");
        expect((await fixture.store.findBySecret(IMPORTED))?.id).to.equal("key_imported");
      });

      it("refuses a second key with the same secret, without showing it", async () => {
        await fixture.store.create({}, { secret: IMPORTED });
        const error = await rejects(fixture.store.create({}, { secret: IMPORTED }), DuplicateSecretError);
        expect(JSON.stringify([error.message, error.stack, error])).to.not.include(IMPORTED);
        expect((await fixture.store.list()).items).to.have.length(1);
      });

      it("lets one of many win that store the same secret at once", async () => {
        const results = await Promise.allSettled(
          Array.from({ length: 20 }, () => fixture.store.create({}, { secret: IMPORTED })),
        );
        expect(results.filter(({ status }) => status === "fulfilled")).to.have.length(1);
        for (const result of results) {
          if (result.status === "rejected") expect(result.reason).to.be.instanceOf(DuplicateSecretError);
        }
        expect((await fixture.store.list()).items).to.have.length(1);
      });

      it("refuses a second key with the same id", async () => {
        await fixture.store.create({ name: "first" }, { id: "key_a" });
        await rejects(fixture.store.create({ name: "second" }, { id: "key_a" }), DuplicateIdError);
        expect((await fixture.store.get("key_a"))?.settings).to.deep.equal({ name: "first" });
        await rejects(fixture.store.create({}, { id: "../a" }), TypeError);
      });

      it("refuses secrets that could not be looked up, without showing them", async () => {
        for (const secret of [
          "",
          " padded",
          "line\nbreak",
          "\ud800lone",
          "x".repeat(513),
          `slc_${"a".repeat(38)}`,
        ]) {
          const error = await rejects(fixture.store.create({}, { secret }), InvalidSecretError);
          if (secret !== "") expect(error.message).to.not.include(secret);
        }
      });
    });

    describe("findBySecret", () => {
      it("finds nothing for an unknown secret", async () => {
        expect(await fixture.store.findBySecret(IMPORTED)).to.equal(undefined);
      });

      it("does not ask the store about a mistyped secret of our form, or an impossible one", async () => {
        const { secret } = await fixture.store.create({});
        const typo = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
        let reads = 0;
        const { get } = fixture.storage;
        fixture.storage.get = (key) => {
          reads += 1;
          return get.call(fixture.storage, key);
        };
        for (const wrong of [typo, "slc_", "", "x".repeat(513), "\udc00"]) {
          expect(await fixture.store.findBySecret(wrong)).to.equal(undefined);
        }
        expect(reads).to.equal(0);
        expect(await fixture.store.findBySecret(secret)).to.not.equal(undefined);
        expect(reads).to.equal(2);
      });

      it("does not find a key by a secret whose time is over, at its instant", async () => {
        let now = Date.parse("2026-11-23T00:00:00.000Z");
        await fixture.open({ clock: () => now });
        const { record, secret } = await fixture.store.create({});
        const entry = { ...record.secrets[0], validUntil: "2026-11-23T00:00:01.000Z" };
        await fixture.plant(`key:${record.id}`, JSON.stringify({ value: { ...record, secrets: [entry] } }));
        now += 999;
        expect((await fixture.store.findBySecret(secret))?.id).to.equal(record.id);
        now += 1;
        expect(await fixture.store.findBySecret(secret)).to.equal(undefined);
        expect((await fixture.store.get(record.id))?.id).to.equal(record.id);
      });

      it("does not let a digest grant that no record lists", async () => {
        const { record, secret } = await fixture.store.create({});
        await fixture.plant(`secret:${digestOf(IMPORTED)}`, JSON.stringify({ value: record.id }));
        expect(await fixture.store.findBySecret(IMPORTED)).to.equal(undefined);
        await fixture.plant(`key:${record.id}`, undefined);
        expect(await fixture.store.findBySecret(secret)).to.equal(undefined);
      });
    });

    describe("list", () => {
      it("gives pages in the order of creation, each key once", async () => {
        const ids: string[] = [];
        for (let n = 0; n < 25; n += 1) ids.push((await fixture.store.create({ n })).record.id);
        const seen: string[] = [];
        const sizes: number[] = [];
        let after: string | undefined;
        do {
          const page = await fixture.store.list({ limit: 10, after });
          seen.push(...page.items.map(({ id }) => id));
          sizes.push(page.items.length);
          after = page.next ?? undefined;
        } while (after !== undefined);
        expect(seen).to.deep.equal(ids);
        expect(sizes).to.deep.equal([10, 10, 5]);
      });

      it("goes on where a page ended although its last key is gone", async () => {
        for (let n = 0; n < 4; n += 1) await fixture.store.create({ n });
        const first = await fixture.store.list({ limit: 2 });
        for (const { id } of first.items) await fixture.store.delete(id);
        const second = await fixture.store.list({ limit: 2, after: first.next ?? undefined });
        expect(second.items.map(({ settings }) => settings["n"])).to.deep.equal([2, 3]);
        expect(second.next).to.equal(null);
      });

      it("refuses other limits and cursors", async () => {
        for (const limit of [0, -1, 1.5, 1001, Number.NaN])
          await rejects(fixture.store.list({ limit }), RangeError);
        for (const after of ["", "?", "a2V5Og", "x".repeat(10_000)]) {
          await rejects(fixture.store.list({ after }), InvalidCursorError);
        }
      });

      it("names what it cannot read", async () => {
        const { record } = await fixture.store.create({});
        await fixture.plant("key:key_0", "{");
        const { items, unreadable } = await fixture.store.list();
        expect(items).to.deep.equal([record]);
        expect(unreadable).to.deep.equal(["key_0"]);
      });
    });

    describe("meta", () => {
      it("keeps small values, and sets an absent one once", async () => {
        expect(await fixture.store.meta.get("admin-token")).to.equal(undefined);
        const results = await Promise.all(
          ["a", "b", "c"].map((value) => fixture.store.meta.setIfAbsent("admin-token", value)),
        );
        expect(results.filter(({ stored }) => stored)).to.have.length(1);
        const value = await fixture.store.meta.get("admin-token");
        expect(results.map((result) => result.value)).to.deep.equal([value, value, value]);
        await fixture.store.meta.set("admin-token", ":base64:x");
        expect(await fixture.store.meta.get("admin-token")).to.equal(":base64:x");
        expect(await fixture.store.meta.setIfAbsent("admin-token", "d")).to.deep.equal({
          stored: false,
          value: ":base64:x",
        });
        await rejects(fixture.store.meta.get("../x"), TypeError);
      });

      it("replaces a value that is still the one expected, for one of several", async () => {
        expect(await fixture.store.meta.replace("admin-token", "a", "b")).to.equal(false);
        await fixture.store.meta.set("admin-token", "a");
        const results = await Promise.all(
          ["b", "c", "d"].map((value) => fixture.store.meta.replace("admin-token", "a", value)),
        );
        expect(results.filter((isReplaced) => isReplaced)).to.have.length(1);
        expect(await fixture.store.meta.get("admin-token")).to.equal(["b", "c", "d"][results.indexOf(true)]);
      });
    });

    describeKeyStoreChanges(fixture);
    describeKeyStoreRevision(fixture);
    describeKeyStoreRotation(fixture);
    describeKeyStoreHistory(fixture);
    describeKeyStoreUsage(fixture);
    describeKeyStoreBackup(fixture);
    describeKeyStoreLog(fixture);
    describeKeyStoreDeeds(fixture);
    describeKeyStoreFaults(fixture);
    describeKeyStoreSchema(fixture);
  });
}
