import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { type Finished, runCommand } from "../helpers/command.ts";

// A title for the terminal, a cleared screen, C1 controls, a turned direction, and a line that looks like ours.
const HOSTILE = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eevil\r\nImported: 9 created.";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

describe("commands that talk to a server nobody knows", () => {
  let foreign: Server;
  let url: string;
  let status = 200;
  let answer: unknown;
  before(async () => {
    foreign = createServer((_request, response) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }).listen(0, "127.0.0.1");
    await once(foreign, "listening");
    url = `http://127.0.0.1:${portOf(foreign)}`;
  });
  after(() => foreign.close());
  const sluice = (args: readonly string[]): Promise<Finished> =>
    runCommand([...args, "--url", url, "--token", "a-token-of-no-value"], { cwd: "." });
  const key = { id: HOSTILE, secret: HOSTILE, hint: HOSTILE, state: HOSTILE, version: 3 };
  const settings = { name: HOSTILE, endpoints: { mode: HOSTILE }, expiresAt: HOSTILE };

  it("print nothing that steers a terminal, and begin no line with what the server says", async () => {
    status = 200;
    answer = {
      ...key,
      settings,
      items: [{ ...key, settings }],
      next: null,
      warnings: [{ message: HOSTILE }],
      checks: [{ check: HOSTILE, passed: true, message: HOSTILE }],
      decision: { code: HOSTILE, message: HOSTILE },
      token: HOSTILE,
      intact: true,
      checked: HOSTILE,
      head: { sequence: HOSTILE, digest: HOSTILE },
    };
    const runs = [
      ["keys", "list"],
      ["keys", "show", "key_1"],
      ["keys", "create", "--name", "a name"],
      ["keys", "edit", "key_1", "--realtime"],
      ["keys", "rotate", "key_1"],
      ["keys", "revoke", "key_1"],
      ["keys", "export"],
      ["check", "--key-id", "key_1", "--connect"],
      ["admin", "token", "--rotate"],
      ["audit", "verify"],
    ];
    for (const run of runs) {
      const { stdout, stderr } = await sluice(run);
      const what = run.join(" ");
      expect(stdout + stderr, what).to.not.match(STEERING);
      expect(stdout, what).to.not.match(/^Imported/m);
      expect(stdout, `${what}: ${stderr}`).to.not.equal("");
    }
  }).timeout(180_000);

  it("print its refusals in the same way, and JSON that is still JSON", async () => {
    status = 400;
    answer = { detail: HOSTILE, code: HOSTILE, faults: [{ pointer: HOSTILE, message: HOSTILE }] };
    const refused = await sluice(["keys", "list"]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include("evil").and.to.not.match(STEERING);
    expect(refused.stderr).to.not.match(/^Imported/m);
    status = 200;
    answer = { ...key, name: "\u{e0001}" };
    const { stdout } = await sluice(["keys", "show", "key_1"]);
    expect(stdout).to.not.match(STEERING);
    expect(JSON.parse(stdout)).to.deep.equal(answer);
  });

  it("are warned when the token would go unencrypted to another machine, and not on this one", async () => {
    const warned = async (to: string): Promise<boolean> => {
      const { stderr } = await runCommand(["keys", "list", "--url", to, "--token", "a-token-of-no-value"], {
        cwd: ".",
      });
      return stderr.includes("unencrypted");
    };
    const plain = ["http://sluice.invalid:1", "http://localhost.invalid:1", "http://127.0.0.1.invalid:1"];
    const safe = ["https://sluice.invalid:1", "http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"];
    for (const to of plain) expect(await warned(to), to).to.equal(true);
    for (const to of safe) expect(await warned(to), to).to.equal(false);
  }).timeout(180_000);
});

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}
