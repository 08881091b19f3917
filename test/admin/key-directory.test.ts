import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { importKeys } from "../helpers/many-keys.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("the list of keys, searched and sorted", () => {
  let server: TestServer;
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  before(async () => {
    server = await startServer();
    await server.createKey({ name: "Web frontend 10" });
    await server.createKey({ name: "web frontend 9", enabled: false });
    await server.createKey({ name: "orders", expiresAt: inAnHour });
    await server.createKey({ name: "Älter", expiresAt: "2020-01-01T00:00:00Z" });
  });
  after(() => server.close());

  const list = async (query: string) => {
    const { status, body } = await server.admin(`/keys?${query}`);
    const items = Array.isArray(body["items"]) ? body["items"] : [];
    const names: string[] = items.map((item: { settings: { name: string } }) => item.settings.name);
    return { status, body, names };
  };

  it("finds part of a name in any case, and counts the states of what it finds", async () => {
    const { names, body } = await list("search=FRONT&sort=name");
    expect(names).to.deep.equal(["web frontend 9", "Web frontend 10"]);
    expect(body).to.deep.include({ total: 2, counts: { active: 1, disabled: 1 }, unreadable: [] });
  });

  it("finds a letter with its accent, whether it was typed as one character or as two", async () => {
    const one = await server.createKey({ name: "caf\u00e9" });
    const two = await server.createKey({ name: "re\u0301sume\u0301" });
    for (const search of ["\u00e9", "e\u0301", "E\u0301"])
      expect((await list(`search=${encodeURIComponent(search)}&sort=name`)).names).to.have.length(2);
    for (const { id } of [one, two]) await server.deleteKey(id);
  });

  it("takes an empty parameter for an absent one", async () => {
    const { status, body } = await list("search=&state=&sort=&order=&offset=&limit=&after=");
    expect(status).to.equal(200);
    expect(body).to.have.property("next");
    expect((await list("search=orders&state=&sort=&order=&offset=&limit=&after=")).names).to.deep.equal([
      "orders",
    ]);
  });

  it("finds a key by its id and by its secret's hint", async () => {
    const { body } = await server.admin("/keys?limit=1");
    const { items } = body;
    const [first] = Array.isArray(items) ? items : [];
    expect((await list(`search=${first.id}`)).names).to.deep.equal(["Web frontend 10"]);
    expect((await list(`search=${encodeURIComponent(first.hint)}`)).names).to.include("Web frontend 10");
  });

  it("sorts names as people do, instants as instants, and never comes last", async () => {
    expect((await list("sort=name")).names).to.deep.equal([
      "Älter",
      "orders",
      "web frontend 9",
      "Web frontend 10",
    ]);
    expect((await list("sort=expires")).names.slice(0, 2)).to.deep.equal(["Älter", "orders"]);
    expect((await list("sort=created&order=desc")).names[0]).to.equal("Älter");
  });

  it("sorts by last use and by connections", async () => {
    const used = await server.createKey({ name: "used", endpoints: { mode: "full-access" } });
    await fetch(`${server.url}/api/x`, { headers: { authorization: `Bearer ${used.secret}` } });
    await server.admin(`/keys/${used.id}`);
    expect((await list("sort=lastUsed&order=desc&limit=1")).names).to.deep.equal(["used"]);
    expect((await list("sort=connections&order=desc")).names).to.have.length(5);
    await server.deleteKey(used.id);
  });

  it("filters by state and pages by offset", async () => {
    expect((await list("state=expired")).names).to.deep.equal(["Älter"]);
    expect((await list("state=expiring")).names).to.deep.equal(["orders"]);
    const second = await list("sort=created&offset=1&limit=1");
    expect(second.names).to.deep.equal(["web frontend 9"]);
    expect(second.body["total"]).to.equal(4);
    expect((await list("sort=created&offset=999")).names).to.deep.equal([]);
  });

  it("sees a change at once", async () => {
    const { id } = await server.createKey({ name: "changing" });
    await server.patchKey(id, { name: "was changed" });
    expect((await list("search=chang")).names).to.deep.equal(["was changed"]);
    await server.deleteKey(id);
    expect((await list("search=chang")).names).to.deep.equal([]);
  });

  for (const query of [
    "sort=secret",
    "state=happy",
    "order=up",
    "offset=-1",
    "sort=name&limit=0",
    "sort=name&limit=1001",
    "sort=name&after=x",
    `search=${"x".repeat(201)}`,
  ]) {
    it(`refuses ${query.slice(0, 30)}`, async () => {
      const { status, body } = await list(query);
      expect(status).to.equal(400);
      expect(body["code"]).to.equal("invalid_request");
    });
  }

  it("shows how long the lists of a key are, not the lists", async () => {
    const key = await server.createKey({
      name: "with lists",
      domains: { mode: "specified", list: ["https://a.example.com", "https://b.example.com"] },
      endpoints: { mode: "custom-allowed", list: ["orders"] },
      channels: [{ pattern: "a", actions: ["join"] }],
      metadata: { team: "web" },
    });
    for (const query of ["search=with+lists", "limit=1000"]) {
      const { items } = (await server.admin(`/keys?${query}`)).body;
      const all: { id: string }[] = Array.isArray(items) ? items : [];
      expect(
        all.find(({ id }) => id === key.id),
        query,
      ).to.deep.include({
        sizes: { endpoints: 1, domains: 2, ips: 0, channels: 1 },
        settings: {
          name: "with lists",
          enabled: true,
          allowRealtime: false,
          expiresAt: null,
          metadata: { team: "web" },
          endpoints: { mode: "custom-allowed" },
          domains: { mode: "specified" },
          ips: { mode: "all" },
        },
      });
    }
    await server.deleteKey(key.id);
  });

  it("lets others have their turn while it reads large keys, and reads each version once", async () => {
    const busy = await startServer();
    try {
      const domains = Array.from({ length: 5_000 }, (_, index) => `https://shop-${index}.example.com`);
      await importKeys(busy, 40, (index) => ({
        name: `large ${index}`,
        domains: { mode: "specified", list: domains },
      }));
      const turnsOf = async (query: string): Promise<number> => {
        let turns = 0;
        let isDone = false;
        const listing = busy.admin(`/keys?${query}`).finally(() => {
          isDone = true;
        });
        while (!isDone) {
          await nextTurn();
          turns += 1;
        }
        const { items } = (await listing).body;
        expect(Array.isArray(items) ? items.length : 0).to.equal(40);
        expect(JSON.stringify(items).length).to.be.below(40_000);
        return turns;
      };
      expect(await turnsOf("sort=name")).to.be.above(30);
      const parse = JSON.parse;
      let parsedChars = 0;
      JSON.parse = (text: string, reviver?: (key: string, value: unknown) => unknown) => {
        parsedChars += text.length;
        return parse(text, reviver);
      };
      try {
        await turnsOf("limit=1000");
      } finally {
        JSON.parse = parse;
      }
      expect(parsedChars).to.be.below(200_000);
    } finally {
      await busy.close();
    }
  });

  it("answers about thousands of keys", async () => {
    const busy = await startServer();
    try {
      await importKeys(busy, 3_000, (index) => ({ name: `key number ${index}` }));
      const { body } = await busy.admin("/keys?sort=name&offset=2998&limit=50");
      const { items } = body;
      expect(Array.isArray(items) ? items.map(({ settings }) => settings.name) : []).to.deep.equal([
        "key number 2998",
        "key number 2999",
      ]);
    } finally {
      await busy.close();
    }
  });
});
