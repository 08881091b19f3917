import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Command, runCommand } from "../helpers/command.ts";

const PORTS = ["--port", "0", "--admin-port", "0"];

describe("a start that fails", () => {
  let cwd: string;
  const running: Command[] = [];

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "sluice-failed-start-"));
  });
  afterEach(async () => {
    for (const command of running.splice(0))
      if (command.child.exitCode === null) await command.kill("SIGKILL");
    await rm(cwd, { recursive: true, force: true });
  });

  /** Starts and reads what the start made from its file. */
  async function secretsOfStart(): Promise<{ token: string; secret: string; adminUrl: string }> {
    const command = new Command(["start", "--dev", ...PORTS], { cwd });
    running.push(command);
    const [, file = ""] = await command.output(/"file":"([^"]+)"/);
    const [, adminUrl = ""] = await command.output(/"adminUrl":"([^"]+)"/);
    const text = await readFile(join(cwd, file), "utf8");
    const [token = ""] = text.match(/sla_[0-9A-Za-z]{40}/) ?? [];
    const [secret = ""] = text.match(/slc_[0-9A-Za-z]{38}/) ?? [];
    return { token, secret, adminUrl };
  }

  /** The names of the keys that a server has. */
  async function keysOf(adminUrl: string, token: string): Promise<unknown[]> {
    const response = await fetch(`${adminUrl}/admin/v1/keys`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).to.equal(200);
    return JSON.parse(await response.text()).items.map((key: { hint: string }) => key.hint);
  }

  for (const flag of ["--port", "--admin-port"]) {
    it(`uses up no secret when ${flag} is taken`, async () => {
      const other = createTcpServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const address = other.address();
      const taken = typeof address === "object" && address !== null ? String(address.port) : "";
      const failed = await runCommand(["start", "--dev", ...PORTS, flag, taken], { cwd });
      expect(failed.code).to.equal(1);
      expect(failed.stderr)
        .to.include(`port ${taken} is taken`)
        .and.to.include(flag)
        .and.to.not.match(/\n\s+at /);
      other.close();
      const { token, secret, adminUrl } = await secretsOfStart();
      expect(secret).to.match(/^slc_/);
      expect(await keysOf(adminUrl, token)).to.deep.equal([`${secret.slice(0, 8)}…`]);
    });
  }

  it("uses up no secret when the file for them cannot be written", async () => {
    await mkdir(join(cwd, "data", "first-start.txt"), { recursive: true });
    const failed = await runCommand(["start", "--dev", ...PORTS], { cwd });
    expect(failed.code).to.equal(1);
    expect(failed.stderr)
      .to.include("cannot be written to a file")
      .and.to.not.match(/\n\s+at /);
    await rm(join(cwd, "data", "first-start.txt"), { recursive: true });
    const { token, secret, adminUrl } = await secretsOfStart();
    expect(await keysOf(adminUrl, token)).to.deep.equal([`${secret.slice(0, 8)}…`]);
  });

  it("uses up no secret when it is ended before they are shown", async () => {
    const failed = new Command(["start", "--dev", ...PORTS], { cwd });
    await failed.output(/sluice is running/).catch(() => undefined);
    await failed.kill("SIGKILL");
    // Killed at any moment: either they are in the file, or the next start makes others.
    const text = await readFile(join(cwd, "data", "first-start.txt"), "utf8").catch(() => "");
    const before = text.match(/sla_[0-9A-Za-z]{40}/)?.[0];
    const command = new Command(["start", "--dev", ...PORTS], { cwd });
    running.push(command);
    const [, adminUrl = ""] = await command.output(/"adminUrl":"([^"]+)"/);
    await command.output(/"file":"|are kept/);
    const after = await readFile(join(cwd, "data", "first-start.txt"), "utf8");
    const token = after.match(/sla_[0-9A-Za-z]{40}/)?.[0] ?? before ?? "";
    expect(await keysOf(adminUrl, token)).to.have.length(1);
  });

  it("ends although the configuration has begun something that does not end", async () => {
    await writeFile(join(cwd, "sluice.config.mjs"), "setInterval(() => {}, 1_000);\nexport default {};\n");
    const failed = await runCommand(["start", ...PORTS, "--host", "203.0.113.1"], { cwd });
    expect(failed.code).to.equal(1);
  });

  for (const [args, message] of [
    [["--host", "203.0.113.1"], "the public listener cannot listen on 203.0.113.1"],
    [["--host", "no-such-host.invalid"], "the public listener cannot listen on no-such-host.invalid"],
    [["--host", "fe80::1"], "the public listener cannot listen on fe80::1"],
    [["--admin-host", "203.0.113.1"], "the admin listener cannot listen on 203.0.113.1"],
  ] as const) {
    it(`says in a sentence that it cannot listen: ${args.join(" ")}`, async () => {
      const { code, stderr } = await runCommand(["start", ...PORTS, "--store", "memory:", ...args], { cwd });
      expect(code).to.equal(1);
      expect(stderr)
        .to.include(message)
        .and.to.not.match(/\n\s+at /);
    });
  }
});
