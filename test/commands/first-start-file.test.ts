import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CommandError } from "../../src/commands/command-error.ts";
import { FirstStartFile } from "../../src/commands/first-start-file.ts";

describe("the file of a first start", () => {
  let folder: string;
  let store: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-first-start-"));
    store = `lmdb:${folder}`;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const text = (): Promise<string> => readFile(join(folder, "first-start.txt"), "utf8");

  it("is there before its secrets count, and gets its name once they do", async () => {
    const file = await FirstStartFile.write(store, ["token", "key"]);
    const [draft = ""] = await readdir(folder);
    expect(await readFile(join(folder, draft), "utf8")).to.equal("token\nkey\n");
    expect((await stat(join(folder, draft))).mode & 0o777).to.equal(0o600);
    expect(await file.publish()).to.equal(join(folder, "first-start.txt"));
    expect(await readdir(folder)).to.deep.equal(["first-start.txt"]);
    expect(await text()).to.equal("token\nkey\n");
  });

  it("is left to the process whose secrets count, whichever of two is slower", async () => {
    const [slow, quick] = [
      await FirstStartFile.write(store, ["a"]),
      await FirstStartFile.write(store, ["b"]),
    ];
    await quick.publish();
    expect(await slow.publish([])).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal(["first-start.txt"]);
    expect(await text()).to.equal("b\n");
  });

  it("has those of the secrets that count", async () => {
    const file = await FirstStartFile.write(store, ["token", "key"]);
    await file.publish(["key"]);
    expect(await text()).to.equal("key\n");
  });

  it("fails before anything counts where its name is taken by a folder", async () => {
    await mkdir(join(folder, "first-start.txt"));
    const failed: unknown = await FirstStartFile.write(store, ["a"]).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(CommandError);
    expect(await readdir(folder)).to.deep.equal(["first-start.txt"]);
  });
});
