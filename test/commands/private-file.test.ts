import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readText, writePrivate } from "../../src/commands/private-file.ts";

describe("a file that a command writes", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-file-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const failed = async (writing: Promise<void>): Promise<boolean> =>
    writing.then(
      () => false,
      () => true,
    );

  it("is its owner's alone, also in the place of one that was everybody's", async () => {
    const file = join(folder, "backup.json");
    await writeFile(file, "old", { mode: 0o644 });
    await writePrivate(file, "new");
    expect(await readFile(file, "utf8")).to.equal("new");
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it("follows links, relative and dangling ones too, and leaves them links", async () => {
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real", "one.json"), "old");
    for (const name of ["one.json", "two.json"]) {
      await symlink(join("real", name), join(folder, name));
      await symlink(name, join(folder, `again-${name}`));
      await writePrivate(join(folder, `again-${name}`), "new");
      expect(await readFile(join(folder, "real", name), "utf8")).to.equal("new");
      expect(await readlink(join(folder, name))).to.equal(join("real", name));
    }
  });

  it("may be a named pipe, which stays one", async () => {
    const pipe = join(folder, "pipe");
    await once(spawn("mkfifo", [pipe]), "close");
    const reader = spawn("cat", [pipe]);
    let heard = "";
    reader.stdout.on("data", (chunk) => {
      heard += String(chunk);
    });
    await Promise.all([writePrivate(pipe, "through"), once(reader, "close")]);
    expect(heard).to.equal("through");
    expect((await lstat(pipe)).isFIFO()).to.equal(true);
  });

  it("leaves nothing behind when it cannot be written, so that the next try works", async () => {
    const file = join(folder, "taken");
    await mkdir(join(file, "inside"), { recursive: true });
    expect(await failed(writePrivate(file, "new"))).to.equal(true);
    expect(await readdir(folder)).to.deep.equal(["taken"]);
    // A leftover of an earlier version does not stand in the way.
    await writeFile(join(folder, `backup.json.${process.pid}.tmp`), "");
    await writePrivate(join(folder, "backup.json"), "new");
    expect(await readFile(join(folder, "backup.json"), "utf8")).to.equal("new");
  });

  it("refuses a circle of links", async () => {
    await symlink("b", join(folder, "a"));
    await symlink("a", join(folder, "b"));
    expect(await failed(writePrivate(join(folder, "a"), "x"))).to.equal(true);
  });

  it("is read with or without a byte order mark", async () => {
    const text = '{"name":"caf\u00e9"}';
    const little = Buffer.from(`\ufeff${text}`, "utf16le");
    for (const bytes of [
      Buffer.from(text),
      Buffer.from(`\ufeff${text}`),
      little,
      Buffer.from(little).swap16(),
    ]) {
      await writeFile(join(folder, "in"), bytes);
      expect(await readText(join(folder, "in"))).to.equal(text);
    }
  });
});
