import { expect } from "chai";
import {
  digestOf,
  type KeyRecord,
  type KeyStorage,
  openKeyStorage,
  openKeyStore,
} from "../../src/keys/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const KEYS = 100_000;
const BATCH = 5000;

for (const backend of ["memory", "LMDB"]) {
  describe(`${KEYS} keys on ${backend}`, () => {
    let folder: ReturnType<typeof temporaryFolder>;
    let storage: KeyStorage;

    before(async function () {
      this.timeout(60_000);
      folder = temporaryFolder();
      storage = await openKeyStorage(backend === "LMDB" ? `lmdb:${folder.path}` : "memory:");
      for (let first = 0; first < KEYS; first += BATCH) await storage.commit(entriesOf(first, BATCH));
    });
    after(async () => {
      await storage.disconnect();
      folder.remove();
    });

    it("are listed page by page, each once and in order, a page reading no more than itself", async () => {
      let readAtOnce = 0;
      const { range } = storage;
      const store = await openKeyStore(storage);
      storage.range = async (prefix, options) => {
        const entries = await range.call(storage, prefix, options);
        readAtOnce = Math.max(readAtOnce, entries.length);
        return entries;
      };
      let seen = 0;
      let after: string | undefined;
      do {
        const page = await store.list({ limit: 1000, after });
        for (const { id } of page.items) {
          if (id !== idOf(seen)) throw new Error(`${id} where ${idOf(seen)} was expected`);
          seen += 1;
        }
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(seen).to.equal(KEYS);
      expect(readAtOnce).to.equal(1001);
    });

    it("are found by secret with two reads", async () => {
      const store = await openKeyStore(storage);
      let reads = 0;
      const { get } = storage;
      storage.get = (key) => {
        reads += 1;
        return get.call(storage, key);
      };
      for (const n of [0, 1, 77_777, KEYS - 1]) {
        expect((await store.findBySecret(`secret-${n}`))?.id).to.equal(idOf(n));
      }
      expect(reads).to.equal(8);
    });
  });
}

function idOf(n: number): string {
  return `key_${String(n).padStart(8, "0")}`;
}

function entriesOf(first: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index;
    const digest = digestOf(`secret-${n}`);
    const record: KeyRecord = {
      schema: 1,
      id: idOf(n),
      version: 1,
      settings: { name: `key ${n}`, endpoints: { mode: "full-access", list: [] } },
      secrets: [{ digest, hint: "se…", validUntil: null }],
      createdAt: "2026-11-23T00:00:00.000Z",
      updatedAt: "2026-11-23T00:00:00.000Z",
    };
    return [
      { key: `key:${record.id}`, text: JSON.stringify({ value: record }) },
      { key: `secret:${digest}`, text: JSON.stringify({ value: record.id }) },
    ];
  }).flat();
}
