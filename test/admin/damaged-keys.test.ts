import { expect } from "chai";
import { openKeyStorage, openKeyStore } from "../../src/keys/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

describe("keys that cannot be read", () => {
  const folder = temporaryFolder();
  const damaged: string[] = [];
  let good: string;
  let server: TestServer;

  before(async () => {
    const url = `lmdb:${folder.path}`;
    const storage = await openKeyStorage(url);
    const keys = await openKeyStore(storage);
    for (const text of ["{", "[]", '{"value":{"schema":1}}']) {
      const { record } = await keys.create({ name: "damaged", enabled: true });
      await storage.commit([{ key: `key:${record.id}`, text }]);
      damaged.push(record.id);
    }
    good = (await keys.create({ name: "good", enabled: true })).record.id;
    await keys.close();
    server = await startServer({ config: { store: url } });
  });
  after(async () => {
    await server.close();
    folder.remove();
  });

  const list = async (query: string): Promise<{ ids: unknown; unreadable: unknown; next: unknown }> => {
    const { status, body } = await server.admin(`/keys${query}`);
    expect(status, query).to.equal(200);
    const items: { id: string }[] = Array.isArray(body["items"]) ? body["items"] : [];
    return { ids: items.map(({ id }) => id), unreadable: body["unreadable"], next: body["next"] };
  };

  it("stay visible beside the others, in every kind of list", async () => {
    for (const query of ["", "?sort=name", "?search=good", "?state=active"]) {
      const { ids, unreadable } = await list(query);
      expect(ids, query).to.deep.equal([good]);
      expect(unreadable, query).to.have.members(damaged);
    }
  });

  it("stay visible on the pages where they are", async () => {
    const seen: unknown[] = [];
    let after = "";
    for (let pages = 0; pages < 10; pages += 1) {
      const { ids, unreadable, next } = await list(`?limit=1${after}`);
      for (const one of [ids, unreadable]) if (Array.isArray(one)) seen.push(...one);
      if (typeof next !== "string") break;
      after = `&after=${encodeURIComponent(next)}`;
    }
    expect(seen).to.have.members([...damaged, good]);
  });

  it("can be deleted, and are gone from the list then", async () => {
    const [first = ""] = damaged;
    expect((await server.deleteKey(first)).status).to.equal(204);
    expect((await list("")).unreadable).to.have.members(damaged.slice(1));
  });
});
