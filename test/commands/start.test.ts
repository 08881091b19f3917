import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Command, runCommand } from "../helpers/command.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const PORTS = ["--port", "0", "--admin-port", "0"];

describe("sluice start", () => {
  let cwd: string;
  const running: Command[] = [];
  const start = (
    args: readonly string[],
    options: { terminal?: boolean; env?: NodeJS.ProcessEnv } = {},
  ): Command => {
    const command = new Command(["start", ...PORTS, ...args], { cwd, ...options });
    running.push(command);
    return command;
  };
  const urlsOf = async (command: Command): Promise<{ url: string; adminUrl: string }> => {
    const [line] = await command.output(/\{.*"sluice is running".*\}/);
    const { url, adminUrl } = JSON.parse(line);
    return { url, adminUrl };
  };

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "sluice-start-"));
  });
  afterEach(async () => {
    for (const command of running.splice(0))
      if (command.child.exitCode === null) await command.kill("SIGKILL");
    await rm(cwd, { recursive: true, force: true });
  });

  it("shows what it made on a terminal, once, with the key behind #", async () => {
    const first = start(["--dev"], { terminal: true });
    await first.output(/Stop with Ctrl-C/);
    expect(first.stdout).to.match(/Admin token\s+sla_[0-9A-Za-z]{40}/);
    const [, secret] = await first.output(/Development key\s+(slc_[0-9A-Za-z]{38})/);
    expect(first.stdout).to.match(new RegExp(`http://localhost:[0-9]+/#${secret}`));
    first.child.stdin?.write("\u0003");
    expect((await first.finished()).code).to.equal(0);
    const second = start(["--dev"], { terminal: true });
    await second.output(/Stop with Ctrl-C/);
    expect(second.stdout).to.not.match(/sla_|slc_/);
    expect(second.stdout).to.include("lmdb:./data").and.to.include("sluice keys create");
    second.child.stdin?.write("\u0003");
    await second.finished();
  });

  it("writes what it made to a file of its owner where there is no terminal", async () => {
    const first = start(["--dev"]);
    const { url } = await urlsOf(first);
    const [, file = ""] = await first.output(/"file":"([^"]+)"/);
    const path = join(cwd, file);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    const text = await readFile(path, "utf8");
    const [secret = ""] = text.match(/slc_[0-9A-Za-z]{38}/) ?? [];
    expect(text).to.match(/sla_[0-9A-Za-z]{40}/);
    expect(first.stdout + first.stderr).to.not.match(/slc_|sla_/);
    // The development key is for pages of this machine, and may do everything.
    const page = { extraHeaders: { origin: "http://localhost:8080" } };
    const client = await new SocketClient(url, { apiKey: secret }, page).ready();
    client.close();
    expect(await new SocketClient(url, { apiKey: secret }).refusal()).to.include({
      code: "missing_request_origin",
    });
    expect((await fetch(`${url}/`)).status).to.equal(200);
    expect((await first.kill("SIGTERM")).code).to.equal(0);
    await rm(path);
    const second = start(["--dev"]);
    const again = await urlsOf(second);
    await second.output(/are kept/);
    expect(second.stdout).to.not.include("first-start.txt");
    (await new SocketClient(again.url, { apiKey: secret }, page).ready()).close();
  });

  it("makes no development key and serves no page without --dev", async () => {
    const plain = start([]);
    const { url } = await urlsOf(plain);
    const [, file = ""] = await plain.output(/"file":"([^"]+)"/);
    expect(await readFile(join(cwd, file), "utf8")).to.not.include("slc_");
    expect((await fetch(`${url}/`)).status).to.equal(404);
    expect((await fetch(`${url}/healthz`)).status).to.equal(200);
  });

  it("closes cleanly within 5 s with clients connected, and tells them to come back", async () => {
    const command = start(["--dev"], { env: { SLUICE_KEY_REQUIRED: "false" } });
    const { url } = await urlsOf(command);
    const clients = [
      new SocketClient(url, {}),
      new SocketClient(url, {}),
      new SocketClient(url, {}, { transports: ["polling"] }),
    ];
    for (const client of clients) await client.ready();
    const at = performance.now();
    // A terminal that is closed sends this, sometimes twice.
    command.child.kill("SIGHUP");
    command.child.kill("SIGHUP");
    for (const client of clients) {
      expect(await client.next("connection:closing")).to.include({ code: "server_shutdown", retry: true });
    }
    expect((await command.finished()).code).to.equal(0);
    expect(performance.now() - at).to.be.below(5_000);
    for (const client of clients) client.close();
  });

  for (const [args, message] of [
    [["--port", "70000"], /"port": 70000/],
    [["--port", "x"], /--port/],
    [["--store", "mongo:x"], /mongo/],
    [["--nonsense"], /nonsense/],
    [["--config", "missing.config.ts"], /missing\.config\.ts/],
  ] as const) {
    it(`stops with a clear message for ${args.join(" ")}`, async () => {
      const { code, stderr } = await runCommand(["start", ...args], { cwd });
      expect(code).to.not.equal(0);
      expect(stderr)
        .to.match(message)
        .and.to.not.match(/\n\s+at /);
    });
  }

  it("ends soon although a client that polls has gone without asking how it ended", async () => {
    const command = start([], { env: { SLUICE_KEY_REQUIRED: "false" } });
    const polling = `${(await urlsOf(command)).url}/realtime/?EIO=4&transport=polling`;
    const headers = { connection: "close" };
    const [, sid] = (await (await fetch(polling, { headers })).text()).match(/"sid":"([^"]+)"/) ?? [];
    const session = `${polling}&sid=${sid}`;
    await fetch(session, { method: "POST", body: "40", headers });
    let heard = "";
    while (!heard.includes("connection:ready")) heard += await (await fetch(session, { headers })).text();
    expect((await fetch(session, { method: "POST", body: "41", headers })).status).to.equal(200);
    expect((await command.kill("SIGTERM")).code).to.equal(0);
  });

  it("ends in time on SIGTERM although the configuration has begun something that does not end", async () => {
    await writeFile(join(cwd, "sluice.config.mjs"), "setInterval(() => {}, 1_000);\nexport default {};\n");
    const command = start([]);
    await urlsOf(command);
    const { code, stdout } = await command.kill("SIGTERM");
    expect(code).to.equal(0);
    expect(stdout).to.include("something else keeps the process").and.to.include("Timeout");
  });

  it("stops with a clear message for a setting that does not exist", async () => {
    await writeFile(join(cwd, "sluice.config.json"), '{"prot": 1}');
    expect((await runCommand(["start", ...PORTS], { cwd })).stderr).to.match(/"prot" is not a setting/);
  });

  it("stops with a clear message for a taken port", async () => {
    const first = start([]);
    const port = new URL((await urlsOf(first)).url).port;
    const taken = await runCommand(["start", "--port", port, "--admin-port", "0", "--store", "memory:"], {
      cwd,
    });
    expect(taken.code).to.equal(1);
    expect(taken.stderr).to.include(`port ${port} is taken`);
  });

  it("reads a TypeScript config file, overridden by the environment, overridden by flags", async () => {
    await writeFile(
      join(cwd, "sluice.config.ts"),
      `const prefix: string = "/v2";
       export default {
         host: "127.0.0.9", logLevel: "silent", endpointPrefix: prefix,
         endpoints: [{ id: "time", method: "GET", path: "/time", handler: () => ({ now: 1 }) }],
       };`,
    );
    const command = start(["--host", "127.0.0.1"], {
      env: { SLUICE_HOST: "127.0.0.8", SLUICE_LOG_LEVEL: "info" },
    });
    const { url } = await urlsOf(command);
    expect(new URL(url).hostname).to.equal("127.0.0.1");
    expect((await fetch(`${url}/v2/time`)).status).to.equal(401);
    expect((await fetch(`${url}/api/time`)).status).to.equal(404);
  });
});
