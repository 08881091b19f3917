import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { backUpStore, type KeyStore, openKeyStore, StoreUnavailableError } from "../../src/keys/index.ts";
import { checkDataFile } from "../../src/store/lmdb-header.ts";

const PAGE_BYTES = 4096;

describe("an LMDB store's data file", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-damaged-"));
    const keys = await openKeyStore(`lmdb:${join(folder, "data")}`);
    await fill(keys, 300);
    await keys.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Some settings are longer than a page. */
  async function fill(keys: KeyStore, count: number): Promise<void> {
    const settings = Array.from({ length: count }, (_, index) => ({
      settings: { name: `key ${index}`, metadata: { text: "x".repeat(index % 20 === 0 ? 9_000 : 100) } },
    }));
    expect(await keys.createMany(settings)).to.include({ ok: true });
  }

  /** Opens a store with this data file. @returns the reason why it cannot be */
  async function openWith(data: Buffer, name: string): Promise<string | undefined> {
    const copy = join(folder, name);
    await mkdir(copy);
    await writeFile(join(copy, "data.mdb"), data);
    try {
      const keys = await openKeyStore(`lmdb:${copy}`);
      await keys.close();
      return undefined;
    } catch (error) {
      expect(error).to.be.instanceOf(StoreUnavailableError);
      const cause = error instanceof Error ? error.cause : undefined;
      return cause instanceof Error ? cause.message : "";
    }
  }

  for (const share of [0.01, 0.25, 0.5, 0.9, 0.99])
    it(`is refused in a sentence when only ${share} of it is left`, async () => {
      const data = await readFile(join(folder, "data", "data.mdb"));
      const reason = await openWith(data.subarray(0, Math.floor(data.length * share)), `cut-${share}`);
      expect(reason).to.include("is damaged");
    });

  it("is refused when a page that it needs was overwritten", async () => {
    const data = await readFile(join(folder, "data", "data.mdb"));
    const newest = data.readBigUInt64LE(152) > data.readBigUInt64LE(PAGE_BYTES + 152) ? 0 : PAGE_BYTES;
    const root = Number(data.readBigUInt64LE(newest + 136));
    data.fill(0, root * PAGE_BYTES, (root + 1) * PAGE_BYTES);
    expect(await openWith(data, "overwritten"))
      .to.include("is damaged")
      .and.to.include(`page ${root}`);
  });

  it("is refused when it mixes pages of several moments", async () => {
    const data = await readFile(join(folder, "data", "data.mdb"));
    const newest = data.readBigUInt64LE(152) > data.readBigUInt64LE(PAGE_BYTES + 152) ? 0 : PAGE_BYTES;
    const root = Number(data.readBigUInt64LE(newest + 136));
    data.writeBigUInt64LE(1_000_000n, root * PAGE_BYTES + 8);
    expect(await openWith(data, "mixed")).to.include("several moments");
  });

  it("is found whole at every moment while somebody writes to it", async () => {
    const keys = await openKeyStore(`lmdb:${join(folder, "busy")}`);
    let isDone = false;
    const writing = (async () => {
      for (let round = 0; round < 5; round += 1) await fill(keys, 40);
      isDone = true;
    })();
    while (!isDone) {
      checkDataFile(join(folder, "busy", "data.mdb"));
      await nextTurn();
    }
    await writing;
    await keys.close();
  });

  it("can be copied while it is written, and the copy is a whole store of its owner", async () => {
    const url = `lmdb:${join(folder, "used")}`;
    const keys = await openKeyStore(url);
    await fill(keys, 100);
    const { secret } = await keys.create({ name: "before the copy" });
    const writing = Promise.all(Array.from({ length: 20 }, () => keys.create({ name: "meanwhile" })));
    const copy = join(folder, "backups", "one");
    await backUpStore(url, copy);
    await writing;
    await keys.close();
    expect((await stat(copy)).mode & 0o777).to.equal(0o700);
    expect((await stat(join(copy, "data.mdb"))).mode & 0o777).to.equal(0o600);
    const restored = await openKeyStore(`lmdb:${copy}`);
    expect((await restored.findBySecret(secret))?.settings).to.include({ name: "before the copy" });
    await restored.close();
    let refused: unknown;
    await backUpStore(url, copy).catch((error: unknown) => {
      refused = error;
    });
    expect(String(refused)).to.include("is not empty");
  });

  it("is not copied where there is none, and nothing is left behind", async () => {
    let refused: unknown;
    await backUpStore(`lmdb:${join(folder, "nowhere")}`, join(folder, "copy")).catch((error: unknown) => {
      refused = error;
    });
    expect(String(refused)).to.include("there is no store in");
    expect(await stat(join(folder, "copy")).catch(() => undefined)).to.equal(undefined);
    expect(await stat(join(folder, "nowhere")).catch(() => undefined)).to.equal(undefined);
  });

  it("says that the file system is read-only where it is", async () => {
    const readOnly = join(folder, "read-only");
    await mkdir(readOnly);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", readOnly]).status !== 0) {
      // Only root may mount. The same error comes from a file in the place of a folder.
      await rm(readOnly, { recursive: true });
      await writeFile(readOnly, "");
    }
    try {
      let cause: unknown;
      await openKeyStore(`lmdb:${join(readOnly, "a", "b")}`).catch((error: unknown) => {
        cause = error instanceof Error ? error.cause : undefined;
      });
      expect(String(cause)).to.match(/EROFS|ENOTDIR/);
    } finally {
      spawnSync("umount", [readOnly]);
    }
  });
});
