import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { Keyv } from "keyv";
import { open } from "lmdb";
import {
  type KeyStorage,
  openKeyStorage,
  StoreUnavailableError,
  StoreUrlError,
} from "../../src/keys/index.ts";
import { LmdbStorage, type TextDatabase } from "../../src/store/lmdb-storage.ts";
import { rejects, turns } from "../contract/key-store-fixture.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

for (const backend of ["memory", "LMDB"]) {
  describe(`key storage on ${backend}`, () => {
    let storage: KeyStorage;
    let remove: () => void;

    beforeEach(async () => {
      const own = temporaryFolder();
      remove = own.remove;
      storage = await openKeyStorage(backend === "LMDB" ? `lmdb:${own.path}` : "memory:");
    });
    afterEach(async () => {
      await storage.disconnect();
      remove();
    });

    it("is a storage of Keyv, with namespaces and times to live", async () => {
      const one = new Keyv<unknown>({ store: storage, namespace: "one", throwOnErrors: true });
      await one.set("a", { deep: [1, null] });
      await one.set("b", "short", 60_000);
      expect(await one.get("b")).to.equal("short");
      expect(await one.get("a")).to.deep.equal({ deep: [1, null] });
      expect(await one.has("a")).to.equal(true);
      expect(await one.has("c")).to.equal(false);
      await storage.set("one:b", '{"value":"short","expires":1}');
      expect(await one.has("b")).to.equal(false);
      expect(await one.get("b")).to.equal(undefined);
      await storage.set("two:a", '{"value":2}');
      const entries: string[] = [];
      for await (const [key] of storage.iterator("one")) entries.push(key);
      expect(entries).to.deep.equal(["one:a"]);
      expect(await one.delete("a")).to.equal(true);
      expect(await one.delete("a")).to.equal(false);
      await one.set("c", 1);
      await one.clear();
      expect(await storage.range("", { limit: 10 })).to.deep.equal([{ key: "two:a", text: '{"value":2}' }]);
    });

    it("does all of a commit or nothing", async () => {
      expect(await storage.commit([{ key: "a", expect: null, text: "1" }])).to.equal(true);
      for (const expected of [null, "2", ""]) {
        const changes = [
          { key: "b", expect: null, text: "new" },
          { key: "a", expect: expected, text: "3" },
        ];
        expect(await storage.commit(changes)).to.equal(false);
      }
      expect(await storage.range("", { limit: 9 })).to.deep.equal([{ key: "a", text: "1" }]);
      const changes = [
        { key: "b", expect: null, text: "new" },
        { key: "a", expect: "1", text: undefined },
      ];
      expect(await storage.commit(changes)).to.equal(true);
      expect(await storage.range("", { limit: 9 })).to.deep.equal([{ key: "b", text: "new" }]);
    });

    it("holds a commit to the presence of an entry that it does not write", async () => {
      const changes = [
        { key: "a", exists: true },
        { key: "b", text: "new" },
      ] as const;
      expect(await storage.commit(changes, { flushed: false })).to.equal(false);
      expect(await storage.range("", { limit: 9 })).to.deep.equal([]);
      await storage.commit([{ key: "a", text: "1" }]);
      expect(await storage.commit(changes, { flushed: false })).to.equal(true);
      expect(await storage.range("", { limit: 9 })).to.deep.equal([
        { key: "a", text: "1" },
        { key: "b", text: "new" },
      ]);
    });

    it("sees what the commit before did, also when both were asked for at once", async () => {
      const counted = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          storage.commit([
            { key: "turn", expect: n === 0 ? null : String(n - 1), text: String(n) },
            { key: `done:${n}`, text: "" },
          ]),
        ),
      );
      expect(counted.every(Boolean)).to.equal(true);
      expect(await storage.range("done:", { limit: 100 })).to.have.length(50);
    });

    it("gives ranges in order, as a sorted array does", async () => {
      const key = fc.string({ unit: fc.constantFrom(..."ab:_09Zz"), minLength: 1, maxLength: 6 });
      const run = fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 30 }),
        fc.oneof(key, fc.constant("")),
        fc.option(key, { nil: undefined }),
        fc.integer({ min: 1, max: 10 }),
        fc.boolean(),
        async (keys, prefix, after, limit, reverse) => {
          await storage.clear();
          const [first, ...others] = keys.map((name) => ({ key: name, text: `text of ${name}` }));
          await storage.commit(others);
          // One more, and one less, after the order was asked for.
          await storage.keys("", { limit: 1 });
          if (first !== undefined) await storage.commit([first, { key: "gone", text: "" }]);
          await storage.commit([{ key: "gone", text: undefined }]);
          const options = { limit, reverse, ...(after === undefined ? {} : { after }) };
          const beyond = (name: string) => after === undefined || (reverse ? name < after : name > after);
          const ordered = [...keys].sort();
          const expected = (reverse ? ordered.reverse() : ordered)
            .filter((name) => name.startsWith(prefix) && beyond(name))
            .slice(0, limit);
          expect(await storage.keys(prefix, options)).to.deep.equal(expected);
          expect(await storage.range(prefix, options)).to.deep.equal(
            expected.map((name) => ({ key: name, text: `text of ${name}` })),
          );
        },
      );
      await fc.assert(run, { numRuns: 200 });
    });
  });
}

describe("LMDB storage", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  it("makes its folder for the owner alone, and its files in any folder", async () => {
    const made = join(folder.path, "deep", "data.v1");
    await (await openKeyStorage(`lmdb:${made}`)).disconnect();
    expect(modeOf(made)).to.equal(0o700);
    const shared = join(folder.path, "shared");
    mkdirSync(shared);
    writeFileSync(join(shared, "data.mdb"), "", { mode: 0o644 });
    await (await openKeyStorage(`lmdb:${shared}`)).disconnect();
    for (const path of [made, shared]) {
      expect(readdirSync(path).sort()).to.deep.equal(["data.mdb", "lock.mdb"]);
      for (const name of readdirSync(path)) expect(modeOf(join(path, name)), name).to.equal(0o600);
    }
  });

  it("keeps its entries, and may be open twice", async () => {
    const one = await openKeyStorage(`lmdb:${folder.path}`);
    const other = await openKeyStorage(`lmdb:${folder.path}`);
    await one.set("a", "1");
    expect(await other.get("a")).to.equal("1");
    await one.disconnect();
    await other.set("b", "2");
    await other.disconnect();
    const again = await openKeyStorage(`lmdb:${folder.path}`);
    expect(await again.range("", { limit: 9 })).to.have.length(2);
    await again.disconnect();
  });

  it("reports a folder that it cannot use as unavailable", async () => {
    writeFileSync(join(folder.path, "file"), "");
    const error = await rejects(openKeyStorage(`lmdb:${join(folder.path, "file")}`), StoreUnavailableError);
    expect(error.message).to.include(folder.path);
    for (const content of ["short", "this is not a database ".repeat(1000), Buffer.alloc(20_000)]) {
      writeFileSync(join(folder.path, "data.mdb"), content);
      await rejects(openKeyStorage(`lmdb:${folder.path}`), StoreUnavailableError);
    }
  });

  it("does not resolve a write before the database says that it is flushed", async () => {
    const database = open<string, string>(folder.path, { encoding: "string", noSubdir: false });
    let flush = (): void => undefined;
    const flushed = new Promise<boolean>((resolve) => {
      flush = () => resolve(true);
    });
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const slow: TextDatabase = {
      get: database.get.bind(database),
      put: database.put.bind(database),
      remove: database.remove.bind(database),
      getRange: database.getRange.bind(database),
      getKeys: database.getKeys.bind(database),
      resetReadTxn: database.resetReadTxn.bind(database),
      close: database.close.bind(database),
      childTransaction: (action) => database.childTransaction(action).finally(commit),
      flushed,
    };
    const storage = new LmdbStorage(slow, "lmdb:test");
    let answered = false;
    const written = storage.set("a", "1").then(() => {
      answered = true;
    });
    await committed;
    await turns(20);
    expect(answered).to.equal(false);
    flush();
    await written;
    await storage.disconnect();
  });

  it("takes a half done group of changes back when one of them fails", async () => {
    const storage = await openKeyStorage(`lmdb:${folder.path}`);
    const results = await Promise.allSettled([
      storage.commit([{ key: "before", text: "1" }]),
      storage.commit([
        { key: "half", text: "1" },
        { key: "k".repeat(5000), text: "too long" },
      ]),
      storage.commit([{ key: "after", text: "1" }]),
    ]);
    expect(results.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    expect((await storage.range("", { limit: 9 })).map(({ key }) => key)).to.deep.equal(["after", "before"]);
    await storage.disconnect();
  });
});

describe("store URL", () => {
  it("refuses what it does not know and shows the scheme only", async () => {
    for (const url of [
      "redis://user:hunter2@host",
      "mongodb:hunter2",
      "hunter2",
      "",
      "/hunter2",
      "LMDB:hunter2",
    ]) {
      const error = await rejects(openKeyStorage(url), StoreUrlError);
      expect(error.message).to.include("lmdb:./data").and.not.include("hunter2");
    }
    for (const url of ["lmdb:", "lmdb://hunter2/x", "lmdb:a\0b", "memory:hunter2"]) {
      await rejects(openKeyStorage(url), StoreUrlError);
    }
    expect(existsSync("hunter2")).to.equal(false);
  });
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
