import { expect } from "chai";
import {
  digestOf,
  type ImportOptions,
  type KeyChange,
  openKeyStore,
  UnreadableRecordError,
} from "../../src/keys/index.ts";
import { collect, IMPORTED, type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

const AT = "2026-01-02T03:04:05.678Z";
const REPLACE = { onExisting: "replace" } as const;

/** The part of the contract about many keys at once: backups and their restore, and keys from elsewhere. */
export function describeKeyStoreBackup(fixture: KeyStoreFixture): void {
  const exported = (n: number, more: object = {}) => ({
    schema: 1,
    id: `key_${n}`,
    version: 3,
    settings: { n },
    secrets: [{ digest: digestOf(`secret ${n}`), hint: "se…", validUntil: null }],
    createdAt: AT,
    updatedAt: AT,
    ...more,
  });
  const imported = async (entries: readonly unknown[], options: ImportOptions = REPLACE) => {
    const result = await fixture.store.importAll(entries, options);
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    return result;
  };
  const pointersOf = async (entries: readonly unknown[], options: ImportOptions = REPLACE) => {
    const result = await fixture.store.importAll(entries, options);
    return result.ok ? "imported" : result.faults.map(({ pointer }) => pointer);
  };
  const everything = () => fixture.storage.range("", { limit: 100_000 });

  describe("createMany", () => {
    it("stores all of the keys, in their order, and tells of each", async () => {
      const told: KeyChange[] = [];
      fixture.store.subscribe((change) => told.push(change));
      const result = await fixture.store.createMany([
        { settings: { n: 1 }, secret: IMPORTED },
        { settings: { n: 2 } },
      ]);
      if (!result.ok) throw new Error("refused");
      const [one, two] = result.created;
      expect(one?.secret).to.equal(IMPORTED);
      expect(await fixture.store.findBySecret(two?.secret ?? "")).to.deep.equal(two?.record);
      const records = result.created.map(({ record }) => record);
      expect((await fixture.store.list()).items).to.deep.equal(records);
      expect(told).to.deep.equal(records.map((record) => ({ type: "created", id: record.id, record })));
      expect(await fixture.store.createMany([])).to.deep.equal({ ok: true, created: [] });
    });

    it("lists each secret that is impossible, twice in the list or taken, and stores nothing", async () => {
      await fixture.store.create({}, { secret: IMPORTED });
      const before = await everything();
      const secrets = ["a", IMPORTED, "b", "a", "slc_mistyped", "a", undefined, ""];
      const result = await fixture.store.createMany(secrets.map((secret) => ({ settings: {}, secret })));
      if (result.ok) throw new Error("stored");
      expect(result.faults.map(({ index, pointer }) => [index, pointer])).to.deep.equal(
        [1, 3, 4, 5, 7].map((index) => [index, `/${index}/secret`]),
      );
      expect(result.faults[1]?.message).to.include("/0/secret");
      expect(JSON.stringify(result.faults)).to.not.include(IMPORTED);
      expect(await everything()).to.deep.equal(before);
    });
  });

  describe("exportAll and importAll", () => {
    it("bring a store back as it was: a backup without a secret", async () => {
      const { record, secret } = await fixture.store.create({ name: "a" });
      await fixture.store.create({ name: "b" }, { secret: IMPORTED });
      await fixture.store.rotate(record.id, 1, { overlapUntil: "2999-01-01T00:00:00Z" });
      await fixture.store.update(record.id, 2, () => ({ name: "a2" }));
      const backup = JSON.stringify(await collect(fixture.store.exportAll()));
      expect(backup).to.not.include(IMPORTED).and.not.include(secret.slice(8));
      const fresh = await fixture.freshStorage();
      const restored = await openKeyStore(fresh.storage);
      const told: KeyChange[] = [];
      restored.subscribe((change) => told.push(change));
      const entries: unknown[] = JSON.parse(backup);
      const result = await restored.importAll(entries, { onExisting: "refuse" });
      const { items } = await fixture.store.list();
      expect(result).to.deep.equal({
        ok: true,
        created: items.map(({ id }) => id),
        replaced: [],
        skipped: [],
      });
      expect((await restored.list()).items).to.deep.equal(items);
      expect(told).to.deep.equal(items.map((one) => ({ type: "created", id: one.id, record: one })));
      expect(await restored.findBySecret(secret)).to.deep.equal(await fixture.store.get(record.id));
      expect((await restored.findBySecret(IMPORTED))?.settings).to.deep.equal({ name: "b" });
      await restored.close();
      await fresh.dispose();
    });

    it("replaces a key with a version above both, keeps its settings in the history, and tells", async () => {
      await imported([exported(1)]);
      await fixture.store.recordUsage([{ id: "key_1", lastUsedAt: AT, allowed: 1, denied: {} }]);
      const told: KeyChange[] = [];
      fixture.store.subscribe((change) => told.push(change));
      const other = { digest: digestOf(IMPORTED), hint: "ak…", validUntil: null };
      const entry = exported(1, { version: 2, settings: { n: 10 }, secrets: [other] });
      expect(await imported([entry, exported(2)])).to.deep.include({
        created: ["key_2"],
        replaced: ["key_1"],
      });
      const record = await fixture.store.get("key_1");
      expect(record).to.deep.include({ version: 4, settings: { n: 10 }, secrets: [other], createdAt: AT });
      expect(record?.updatedAt).to.not.equal(AT);
      expect(await fixture.store.findBySecret("secret 1")).to.equal(undefined);
      expect((await fixture.store.findBySecret(IMPORTED))?.id).to.equal("key_1");
      expect(await fixture.storage.keys("secret:", { limit: 9 })).to.have.length(2);
      expect(await fixture.store.versionOf("key_1", 3)).to.deep.include({ settings: { n: 1 } });
      expect(told.map(({ type, id }) => [type, id])).to.deep.equal([
        ["updated", "key_1"],
        ["created", "key_2"],
      ]);
      await imported([exported(1, { version: 50 })]);
      expect((await fixture.store.get("key_1"))?.version).to.equal(51);
      expect((await fixture.store.usageOf(["key_1"])).get("key_1")?.allowed).to.equal(1);
    });

    it("refuses or skips keys that are there, as it is asked to", async () => {
      await imported([exported(1)]);
      const before = await everything();
      const both = [exported(1, { settings: { n: 5 } }), exported(2)];
      expect(await pointersOf(both, { onExisting: "refuse" })).to.deep.equal(["/0/id"]);
      expect(await everything()).to.deep.equal(before);
      const result = await imported(both, { onExisting: "skip" });
      expect(result).to.deep.include({ created: ["key_2"], skipped: ["key_1"] });
      expect((await fixture.store.get("key_1"))?.settings).to.deep.equal({ n: 1 });
    });

    it("lists every fault with its place, also those of the caller's own rules, and writes nothing", async () => {
      const validate = ({ n }: Readonly<Record<string, unknown>>) =>
        n === 13 ? [{ pointer: "/n", message: "unlucky" }] : [];
      const secret = { digest: digestOf("x"), hint: "x…", validUntil: null };
      const entries = [
        exported(0),
        null,
        exported(2, { schema: 3 }),
        exported(3, { id: "../x", version: 0, settings: [], more: 1, createdAt: "2026-02-30T00:00:00.000Z" }),
        exported(4, { secrets: [secret, { ...secret, digest: "short", hint: 5, more: 1 }, "text"] }),
        exported(13),
        exported(0, { secrets: [] }),
        exported(7, { secrets: exported(0).secrets }),
        exported(8, { secrets: Array.from({ length: 6 }, () => secret), updatedAt: undefined }),
        exported(9, { secrets: [{ ...secret, digest: digestOf("y"), validUntil: "soon" }] }),
      ];
      expect(await pointersOf(entries, { ...REPLACE, validate })).to.deep.equal([
        "/1",
        "/2/schema",
        "/3/more",
        "/3/id",
        "/3/version",
        "/3/settings",
        "/3/createdAt",
        "/4/secrets/1/more",
        "/4/secrets/1/digest",
        "/4/secrets/1/hint",
        "/4/secrets/2",
        "/5/settings/n",
        "/6/id",
        "/7/secrets/0/digest",
        "/8/updatedAt",
        "/8/secrets",
        "/9/secrets/0/validUntil",
      ]);
      expect(await fixture.storage.keys("", { limit: 9 })).to.deep.equal(["store:schema"]);
    });

    it("never gives one secret to two keys, and lets it go from one key of the list to another", async () => {
      await imported([exported(1), exported(2)]);
      const thief = exported(3, { secrets: exported(1).secrets });
      expect(await pointersOf([thief])).to.deep.equal(["/0/secrets/0/digest"]);
      expect(await pointersOf([thief, exported(1)], { onExisting: "skip" })).to.deep.equal([
        "/0/secrets/0/digest",
      ]);
      const swapped = [
        exported(1, { secrets: exported(2).secrets }),
        exported(2, { secrets: exported(1).secrets }),
      ];
      await imported(swapped);
      expect((await fixture.store.findBySecret("secret 1"))?.id).to.equal("key_2");
      expect((await fixture.store.findBySecret("secret 2"))?.id).to.equal("key_1");
      const heir = exported(3, { secrets: exported(2).secrets });
      await imported([exported(1, { secrets: [] }), heir]);
      expect((await fixture.store.findBySecret("secret 2"))?.id).to.equal("key_3");
    });

    it("leaves out secrets whose time is over", async () => {
      const [secret] = exported(1).secrets;
      const over = { digest: digestOf(IMPORTED), hint: "ak…", validUntil: AT };
      await imported([exported(1, { secrets: [over, secret] })]);
      expect((await fixture.store.get("key_1"))?.secrets).to.deep.equal([secret]);
      expect(await fixture.storage.keys("secret:", { limit: 9 })).to.have.length(1);
    });

    it("repairs a damaged key, above the version that can still be read, and leaves a newer one", async () => {
      await imported([exported(1), exported(2)]);
      const damaged = { schema: 1, id: "key_1", version: 70 };
      await fixture.plant("key:key_1", JSON.stringify({ value: damaged }));
      await imported([exported(1)]);
      expect((await fixture.store.get("key_1"))?.version).to.equal(71);
      const newer = JSON.stringify({ value: { ...exported(2), schema: 3 } });
      await fixture.plant("key:key_2", newer);
      expect(await pointersOf([exported(2)])).to.deep.equal(["/0/id"]);
      expect(await fixture.storage.get("key:key_2")).to.equal(newer);
    });

    it("ends at a record that it cannot read, or leaves it out and says so", async () => {
      await imported([exported(1), exported(2)]);
      await fixture.plant("key:key_1", "{");
      await rejects(collect(fixture.store.exportAll()), UnreadableRecordError);
      const unreadable: string[] = [];
      const rest = await collect(fixture.store.exportAll({ onUnreadable: (id) => unreadable.push(id) }));
      expect(rest.map(({ id }) => id)).to.deep.equal(["key_2"]);
      expect(unreadable).to.deep.equal(["key_1"]);
    });

    it("is one transaction with 10,000 keys, there and back", async function () {
      this.timeout(60_000);
      const entries = Array.from({ length: 10_000 }, (_, n) => exported(n));
      expect(await pointersOf([...entries, exported(5, { id: "key_x" })])).to.deep.equal([
        "/10000/secrets/0/digest",
      ]);
      expect(await fixture.storage.keys("", { limit: 9 })).to.deep.equal(["store:schema"]);
      let told = 0;
      fixture.store.subscribe(() => {
        told += 1;
      });
      expect((await imported(entries)).created).to.have.length(10_000);
      expect((await imported(entries)).replaced).to.have.length(10_000);
      expect(told).to.equal(20_000);
      const back = await collect(fixture.store.exportAll());
      expect(back).to.have.length(10_000);
      expect(new Set(back.map(({ version }) => version))).to.deep.equal(new Set([4]));
      expect((await fixture.store.findBySecret("secret 7777"))?.id).to.equal("key_7777");
    });

    it("tells its changes in their order with other writes of the same keys", async () => {
      await imported([exported(1), exported(2)]);
      const versions: number[] = [];
      fixture.store.subscribe(({ id, record }) => {
        if (id === "key_1") versions.push(record?.version ?? 0);
      });
      await Promise.all([
        imported([exported(1)]),
        fixture.store.update("key_1", 3, () => ({})),
        imported([exported(2), exported(1)]),
        fixture.store.update("key_1", 4, () => ({})),
        imported([exported(1), exported(2)]),
        fixture.store.rotate("key_1", 5, { overlapUntil: null }),
      ]);
      expect(versions).to.deep.equal(versions.map((_, n) => 4 + n));
      expect((await fixture.store.get("key_1"))?.version).to.equal(versions.at(-1));
    });
  });
}
