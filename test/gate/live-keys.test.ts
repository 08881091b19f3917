import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { LiveKeys } from "../../src/gate/live-keys.ts";
import {
  digestOf,
  type KeyStorage,
  type KeyStore,
  openKeyStorage,
  openKeyStore,
} from "../../src/keys/index.ts";
import { createLogger } from "../../src/observe/log.ts";
import { parseSettings } from "../../src/policy/index.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

const SETTINGS = parseSettings({ name: "key", allowRealtime: true });

describe("live keys", () => {
  let storage: KeyStorage;
  let keys: KeyStore;
  let live: LiveKeys;
  let reads: number;
  let nowMs: number;
  const changed: string[] = [];
  const watch = (): LiveKeys =>
    new LiveKeys({
      keys,
      sweepSeconds: 3_600,
      log: createLogger("silent"),
      now: () => nowMs,
      onChange: (id) => {
        changed.push(id);
        return undefined;
      },
    });

  beforeEach(async () => {
    await open("memory:");
  });
  afterEach(async () => {
    live.close();
    await keys.close();
  });

  async function open(url: string): Promise<void> {
    nowMs = Date.parse("2026-11-23T00:00:00.000Z");
    storage = await openKeyStorage(url);
    keys = await openKeyStore(storage, { clock: () => nowMs });
    reads = 0;
    const { get } = storage;
    storage.get = (key) => {
      reads += 1;
      return get.call(storage, key);
    };
    changed.length = 0;
    live = watch();
  }

  it("find a key in use without a read of the store, and at once", async () => {
    const { secret, record } = await keys.create(SETTINGS);
    const digest = digestOf(secret);
    const found = await live.find(digest);
    expect(found?.record).to.deep.equal(record);
    reads = 0;
    expect(live.find(digest)).to.equal(found);
    expect(live.find(digest)).to.equal(found);
    expect(reads).to.equal(0);
  });

  it("read a key again, once, when any key was written", async () => {
    const { secret } = await keys.create(SETTINGS);
    const digest = digestOf(secret);
    await live.find(digest);
    await keys.create(SETTINGS);
    reads = 0;
    const again = live.find(digest);
    expect(again).to.be.instanceOf(Promise);
    const found = await again;
    expect(reads).to.equal(2);
    expect(live.find(digest)).to.equal(found);
    expect(reads).to.equal(2);
  });

  it("ask the store once about a secret of no key, and find the key as soon as somebody stores it", async () => {
    const secret = "an imported secret";
    const digest = digestOf(secret);
    expect(await live.find(digest)).to.equal(undefined);
    reads = 0;
    expect(live.find(digest)).to.equal(undefined);
    expect(reads).to.equal(0);
    const { record } = await keys.create(SETTINGS, { secret });
    expect((await live.find(digest))?.id).to.equal(record.id);
  });

  it("do not remember as unknown what was stored while it was read", async () => {
    const secret = "an imported secret";
    const digest = digestOf(secret);
    const { get } = storage;
    storage.get = async (key) => {
      const text = await get.call(storage, key);
      storage.get = get;
      await keys.create(SETTINGS, { secret });
      return text;
    };
    expect(await live.find(digest)).to.equal(undefined);
    expect((await live.find(digest))?.id).to.match(/^key_/);
  });

  it("remember a bounded number of unknown secrets, and forget none that is a key's", async () => {
    const { secret } = await keys.create(SETTINGS);
    await live.find(digestOf(secret));
    for (let n = 0; n < 3_000; n += 1) await live.find(digestOf(`wrong ${n}`));
    reads = 0;
    expect(live.find(digestOf(secret))).to.not.be.instanceOf(Promise);
    expect(live.find(digestOf("wrong 2999"))).to.equal(undefined);
    expect(live.find(digestOf("wrong 0"))).to.be.instanceOf(Promise);
  });

  it("do not find a secret whose overlap is over although nobody has written", async () => {
    const { secret, record } = await keys.create(SETTINGS);
    await keys.rotate(record.id, 1, { overlapUntil: new Date(nowMs + 1_000).toISOString() });
    const digest = digestOf(secret);
    const found = await live.find(digest);
    expect(live.find(digest)).to.equal(found).and.not.equal(undefined);
    nowMs += 1_000;
    expect(live.find(digest)).to.equal(undefined);
  });

  it("see within a sweep what was written by a program that does not know the revision", async () => {
    const { secret, record } = await keys.create(SETTINGS);
    const digest = digestOf(secret);
    await live.find(digest);
    const disabled = { ...record, version: 2, settings: { ...SETTINGS, enabled: false } };
    await storage.commit([{ key: `key:${record.id}`, text: JSON.stringify({ value: disabled }) }]);
    await live.sweep();
    expect((await live.find(digest))?.policy?.enabled).to.equal(false);
  });

  it("let the sweep end what a clock that jumped ahead has ended", async () => {
    const at = (ms: number) => new Date(nowMs + ms).toISOString();
    const expiring = await keys.create(parseSettings({ ...SETTINGS, expiresAt: at(60_000) }));
    const rotated = await keys.create(SETTINGS);
    const lasting = await keys.create(SETTINGS);
    for (const { secret } of [expiring, rotated, lasting]) {
      const key = await live.find(digestOf(secret));
      if (key === undefined) throw new Error("a key was not found");
      live.hold(key);
    }
    await keys.rotate(rotated.record.id, 1, { overlapUntil: at(60_000) });
    changed.length = 0;
    await live.sweep();
    expect(changed).to.deep.equal([]);
    // The wall clock jumps: no timer is due for another minute.
    nowMs += 3_600_000;
    const { get } = storage;
    let answer = (): void => {};
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
    });
    storage.get = (key) => silence.then(() => get.call(storage, key));
    const sweeping = live.sweep();
    expect(changed).to.have.members([expiring.record.id, rotated.record.id]);
    await live.sweep();
    expect(changed).to.have.length(2);
    answer();
    await sweeping;
  });
});

describe("live keys of two processes on one LMDB", () => {
  it("refuse a key at the very next call after another process has disabled it", async () => {
    const folder = temporaryFolder();
    const url = `lmdb:${folder.path}/data`;
    const keys = await openKeyStore(url);
    const log = createLogger("silent");
    const live = new LiveKeys({ keys, sweepSeconds: 3_600, log, now: Date.now, onChange: () => {} });
    const program = fileURLToPath(
      new URL(`../keys/store-process${extname(import.meta.url)}`, import.meta.url),
    );
    const other: ChildProcess = spawn(process.execPath, ["--import", "tsx", program, url, "disable"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      if (other.stdout === null) throw new Error("no output");
      const lines = createInterface({ input: other.stdout });
      await once(lines, "line");
      for (let n = 0; n < 20; n += 1) {
        const { secret, record } = await keys.create(SETTINGS);
        const digest = digestOf(secret);
        expect((await live.find(digest))?.policy?.enabled).to.equal(true);
        expect(live.find(digest)).to.not.be.instanceOf(Promise);
        const done = once(lines, "line");
        other.stdin?.write(`${JSON.stringify({ id: record.id, version: 1 })}\n`);
        expect(String(await done)).to.equal('"done"');
        expect((await live.find(digest))?.policy?.enabled).to.equal(false);
      }
    } finally {
      other.stdin?.end();
      if (other.exitCode === null) await once(other, "exit");
      live.close();
      await keys.close();
      folder.remove();
    }
  });
});
