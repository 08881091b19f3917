import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { devNull } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type KeyChange, openKeyStorage, openKeyStore } from "../../src/keys/index.ts";
import { itIfThere } from "../helpers/needs.ts";
import { temporaryFolder } from "./temporary-folder.ts";

// Beside this file, also where it is compiled.
const PROCESS = fileURLToPath(new URL(`store-process${extname(import.meta.url)}`, import.meta.url));
const KILLS = 6;
const ROUNDS = 200;

describe("key store of several processes on one LMDB", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let url: string;
  const children = new Set<ChildProcessWithoutNullStreams>();

  beforeEach(() => {
    folder = temporaryFolder();
    url = `lmdb:${join(folder.path, "data")}`;
  });
  afterEach(async () => {
    for (const child of children) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    children.clear();
    folder.remove();
  });

  it("lets exactly one win each round in which both change the same version", async () => {
    const store = await openKeyStore(url);
    const { record } = await store.create({ n: 0 });
    const other = start("race");
    expect(await other.next()).to.equal("ready");
    const wins = { ours: 0, theirs: 0 };
    for (let version = 1; version <= ROUNDS; version += 1) {
      other.tell({ id: record.id, version });
      const ours = await store.update(record.id, version, (settings) => ({ ...settings, by: process.pid }));
      const theirs = await other.next();
      expect([ours.ok ? "won" : ours.reason, theirs].sort()).to.deep.equal(["version_conflict", "won"]);
      const now = await store.get(record.id);
      expect(now?.version).to.equal(version + 1);
      expect(now?.settings["by"]).to.equal(ours.ok ? process.pid : other.child.pid);
      wins[ours.ok ? "ours" : "theirs"] += 1;
    }
    // Otherwise the rounds were no races.
    expect(Math.min(wins.ours, wins.theirs), JSON.stringify(wins)).to.be.above(0);
    other.child.stdin.end();
    await once(other.child, "exit");
    await store.close();
  });

  it("sees by a look-up and by the sweep at once what the other wrote", async () => {
    const store = await openKeyStore(url);
    const { record } = await store.create({ n: 0 });
    const told: KeyChange[] = [];
    store.subscribe((change) => told.push(change));
    const other = start("race");
    expect(await other.next()).to.equal("ready");
    other.tell({ id: record.id, version: 1 });
    expect(await other.next()).to.equal("won");
    const changes = await store.sweep([record]);
    expect(changes.map(({ type, id, record: now }) => [type, id, now?.version])).to.deep.equal([
      ["updated", record.id, 2],
    ]);
    expect(told).to.deep.equal([]);
    await store.close();
  });

  it("sees what another process wrote also within one turn of the event loop", async () => {
    const storage = await openKeyStorage(url);
    expect(await storage.range("key:", { limit: 9 })).to.deep.equal([]);
    const run = spawnSync(process.execPath, ["--import", "tsx", PROCESS, url, "once"], { encoding: "utf8" });
    expect(run.status, run.stderr).to.equal(0);
    const [entry] = await storage.range("key:", { limit: 9 });
    expect(entry?.key).to.include("key:key_");
    await storage.disconnect();
  });

  it("adds up what both counted of a key, keeps what both logged, and chains the deeds of both", async () => {
    const store = await openKeyStore(url);
    const { record } = await store.create({});
    const other = start("count");
    expect(await other.next()).to.equal("ready");
    other.tell({ id: record.id, times: ROUNDS });
    let done = false;
    const theirs = other.next().then(() => {
      done = true;
    });
    let ours = 0;
    while (!done || ours < ROUNDS) {
      ours += 1;
      const at = new Date().toISOString();
      await store.recordUsage([
        { id: record.id, lastUsedAt: at, allowed: 1, denied: { expired_api_key: 2 } },
      ]);
      await store.log.append([{ at, text: `${process.pid}` }], { durable: false });
      await store.deeds.append([{ at, text: `${process.pid}` }]);
    }
    await theirs;
    const usage = (await store.usageOf([record.id])).get(record.id);
    expect(usage?.allowed).to.equal(ours + ROUNDS);
    expect(usage?.denied).to.deep.equal({ expired_api_key: 2 * (ours + ROUNDS) });
    const texts: string[] = [];
    const ids = new Set<string>();
    let before: string | undefined;
    do {
      const page = await store.log.page({ limit: 1000, before });
      for (const { id, text } of page.items) {
        texts.push(text);
        ids.add(id);
      }
      before = page.next ?? undefined;
    } while (before !== undefined);
    expect(texts.filter((text) => text === `${process.pid}`)).to.have.length(ours);
    expect(texts.filter((text) => text === `${other.child.pid}`)).to.have.length(ROUNDS);
    expect(ids.size).to.equal(ours + ROUNDS);
    expect(await store.deeds.verify()).to.deep.include({ intact: true, checked: ours + ROUNDS });
    await store.close();
  });

  it("sees a value that the other replaced at its next read", async () => {
    const store = await openKeyStore(url);
    await store.meta.set("admin-token", "first");
    expect(await store.meta.get("admin-token")).to.equal("first");
    // Within one turn of the event loop: no snapshot of before may be left.
    const run = spawnSync(process.execPath, ["--import", "tsx", PROCESS, url, "meta"], { encoding: "utf8" });
    expect(run.status, run.stderr).to.equal(0);
    expect(await store.meta.get("admin-token")).to.match(/^set by \d+$/);
    await store.close();
  });

  it("loses nothing that was acknowledged when it is killed, and stays sound", async function () {
    this.timeout(60_000);
    const acknowledged: { id: string; secret: string }[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const writer = start("create");
      for (let n = 0; n <= kill * 7; n += 1) acknowledged.push(keyOf(await writer.next()));
      writer.child.kill("SIGKILL");
      await once(writer.child, "close");
      for (const line of writer.rest()) acknowledged.push(keyOf(line));
      const store = await openKeyStore(url);
      for (const { id, secret } of acknowledged) {
        const record = await store.findBySecret(secret);
        expect(record?.id).to.equal(id);
        expect(record).to.include({ version: 2 });
      }
      // Each record that is there, acknowledged or not, has its secret's entry, and the other way round.
      const { items, unreadable } = await store.list({ limit: 1000 });
      expect(unreadable).to.deep.equal([]);
      await store.close();
      const digests = items.flatMap(({ secrets }) => secrets.map(({ digest }) => digest));
      expect(await storedDigests(url)).to.deep.equal(digests.sort());
    }
    expect(acknowledged.length).to.be.above(KILLS * 8);
  });

  it("has all keys of a list or none when it is killed", async () => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const writer = start("many");
      await writer.next();
      await new Promise((resolve) => setTimeout(resolve, kill * 5));
      writer.child.kill("SIGKILL");
      await once(writer.child, "close");
      const storage = await openKeyStorage(url);
      const keys = await storage.keys("key:", { limit: 100_000 });
      expect(keys.length).to.be.above(0);
      expect(keys.length % 300).to.equal(0);
      expect(await storage.keys("secret:", { limit: 100_000 })).to.have.length(keys.length);
      await storage.disconnect();
    }
  });

  // Not every container lets a process be traced.
  const canTrace = spawnSync("strace", ["-f", "-o", devNull, "true"]).status === 0;
  const title = "has a new key flushed to disk before it answers, as a trace of the system calls shows";
  itIfThere(title, canTrace ? undefined : "a strace that may trace", () => {
    const trace = join(folder.path, "trace");
    const calls = "openat,fdatasync,fsync,pwrite64,pwritev,writev,write";
    const run = spawnSync(
      "strace",
      [
        "-f",
        "-y",
        "-s",
        "60",
        "-e",
        `trace=${calls}`,
        "-o",
        trace,
        process.execPath,
        "--import",
        "tsx",
        PROCESS,
        url,
        "once",
      ],
      { encoding: "utf8" },
    );
    expect(run.status, run.stderr).to.equal(0);
    const lines = readFileSync(trace, "utf8").split("\n");
    const begin = lines.findIndex((line) => line.includes("before"));
    const answer = lines.findIndex((line) => line.includes("acknowledged"));
    expect(begin).to.be.above(0);
    expect(answer).to.be.above(begin);
    const between = lines.slice(begin, answer);
    const written = between.findLastIndex(
      (line) => /writev?\(\d+<.*data\.mdb>.*iov_len|pwritev?.*data\.mdb/.test(line) && !isMeta(line),
    );
    const flushed = between.findLastIndex(
      (line) => /fdatasync\(\d+<.*data\.mdb>/.test(line) || /fdatasync resumed/.test(line),
    );
    const meta = between.findLastIndex(isMeta);
    expect(written, "the pages are written").to.be.above(-1);
    expect(flushed, "then flushed").to.be.above(written);
    expect(meta, "then the meta page that makes them count, through a descriptor that flushes").to.be.above(
      flushed,
    );
    const descriptor = /pwrite64\((\d+)</.exec(between[meta] ?? "")?.[1];
    const opened = lines.find((line) => line.includes("data.mdb") && line.includes(`= ${descriptor}<`));
    expect(opened).to.match(/O_D?SYNC/);
  });

  it("reports a full disk as unavailable, keeps what it acknowledged and lives on", async function () {
    this.timeout(60_000);
    if (process.platform === "win32") this.skip();
    // A limit on the size of files stands for the disk: beyond it, writes fail with EFBIG.
    const command = `trap '' XFSZ; ulimit -f 400; exec "$0" --import tsx "$1" "$2" fill 2>/dev/null`;
    const run = spawnSync("bash", ["-c", command, process.execPath, PROCESS, url], { encoding: "utf8" });
    expect(run.status).to.equal(0);
    const { kept, found, faults } = JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "");
    expect(faults).to.deep.equal(["StoreUnavailableError"]);
    expect(kept).to.be.above(10);
    expect(found).to.equal(kept);
    expect(run.stdout).to.not.include("unhandled");
    const store = await openKeyStore(url);
    expect((await store.list({ limit: 1000 })).items).to.have.length(kept);
    await store.create({});
    await store.close();
  });

  function start(task: string) {
    const child = spawn(process.execPath, ["--import", "tsx", PROCESS, url, task]);
    children.add(child);
    child.stderr.pipe(process.stderr, { end: false });
    const lines: unknown[] = [];
    const waiting: ((line: unknown) => void)[] = [];
    createInterface(child.stdout).on("line", (line) => {
      const value: unknown = JSON.parse(line);
      const wake = waiting.shift();
      if (wake) wake(value);
      else lines.push(value);
    });
    return {
      child,
      tell: (value: unknown) => child.stdin.write(`${JSON.stringify(value)}\n`),
      next: () =>
        lines.length > 0 ? Promise.resolve(lines.shift()) : new Promise((resolve) => waiting.push(resolve)),
      /** Told and not yet asked for. */
      rest: () => lines.splice(0),
    };
  }
});

function keyOf(value: unknown): { id: string; secret: string } {
  if (typeof value === "object" && value !== null && "id" in value && "secret" in value) {
    return { id: String(value.id), secret: String(value.secret) };
  }
  throw new Error(`not a key: ${JSON.stringify(value)}`);
}

async function storedDigests(url: string): Promise<string[]> {
  const storage = await openKeyStorage(url);
  const entries = await storage.range("secret:", { limit: 10_000 });
  await storage.disconnect();
  return entries.map(({ key }) => key.slice("secret:".length));
}

/** LMDB's own flushing descriptor writes nothing but the meta page, of 128 bytes or so. */
function isMeta(line: string): boolean {
  const size = /pwrite64\(\d+<[^>]*data\.mdb>.*, (\d+), \d+\)/.exec(line)?.[1];
  return size !== undefined && Number(size) < 4096;
}
