import { expect } from "chai";
import { digestOf, openKeyStorage, openKeyStore } from "../../src/keys/index.ts";
import { describeKeyStore } from "../contract/key-store.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeKeyStore("memory", async () => ({
  open: () => openKeyStorage("memory:"),
  dispose: async () => undefined,
}));

describeKeyStore("LMDB", async () => {
  const folder = temporaryFolder();
  return { open: () => openKeyStorage(`lmdb:${folder.path}`), dispose: async () => folder.remove() };
});

describe("a store of the version before", () => {
  it("opens, and its keys can be used, changed and deleted", async () => {
    const storage = await openKeyStorage("memory:");
    const at = "2026-11-23T00:00:00.000Z";
    const digest = digestOf("an old secret");
    const secrets = [{ digest, hint: "an …", validUntil: null }];
    const record = { schema: 1, id: "key_old", version: 7, settings: { name: "old" }, secrets };
    await storage.commit([
      { key: "store:schema", text: '{"value":1}' },
      { key: "meta:admin-token-digest", text: '{"value":"00ff"}' },
      { key: "key:key_old", text: JSON.stringify({ value: { ...record, createdAt: at, updatedAt: at } }) },
      { key: `secret:${digest}`, text: '{"value":"key_old"}' },
    ]);
    const store = await openKeyStore(storage);
    expect(await store.findBySecret("an old secret")).to.deep.equal({
      ...record,
      createdAt: at,
      updatedAt: at,
    });
    expect(await store.meta.get("admin-token-digest")).to.equal("00ff");
    expect((await store.history("key_old")).items).to.deep.equal([]);
    expect((await store.usageOf(["key_old"])).size).to.equal(0);
    expect((await store.log.page({ limit: 1 })).items).to.deep.equal([]);
    await store.recordUsage([{ id: "key_old", lastUsedAt: at, allowed: 1, denied: {} }]);
    expect(await store.update("key_old", 7, () => ({ name: "new" }))).to.deep.include({ ok: true });
    expect(await store.versionOf("key_old", 7)).to.deep.include({ settings: { name: "old" } });
    expect((await store.rotate("key_old", 8, { overlapUntil: null })).ok).to.equal(true);
    expect(await store.delete("key_old")).to.deep.equal({ ok: true });
    expect(await storage.keys("", { limit: 9 })).to.deep.equal([
      "meta:admin-token-digest",
      "store:revision",
      "store:schema",
    ]);
    await store.close();
  });
});
