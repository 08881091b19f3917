import { expect } from "chai";
import { type Finished, runCommand } from "../helpers/command.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("sluice keys", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const keys = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
    runCommand(["keys", ...args], {
      cwd: ".",
      env: { SLUICE_ADMIN_URL: server.adminUrl, SLUICE_ADMIN_TOKEN: server.adminToken, ...env },
    });

  it("creates, lists, shows and revokes through the API of a running server", async () => {
    const created = await keys(["create", "--name", "from cli", "--realtime", "--ip", "127.0.0.1", "--json"]);
    expect(created.code).to.equal(0);
    const { id, secret, settings } = JSON.parse(created.stdout);
    expect(settings).to.deep.include({ name: "from cli", ips: { mode: "specified", list: ["127.0.0.1"] } });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();

    const listed = await keys(["list"]);
    expect(listed.stdout).to.include(id).and.to.include("from cli").and.to.not.include(secret);
    const shown = await keys(["show", id]);
    expect(JSON.parse(shown.stdout)).to.include({ id, version: 1 });

    const revoked = await keys(["revoke", id]);
    expect(revoked.code).to.equal(0);
    expect(await client.next("connection:closing")).to.include({ code: "invalid_api_key" });
    expect((await keys(["show", id])).code).to.equal(1);
  });

  it("shows the secret once, in clear words", async () => {
    const { stdout, code } = await keys(["create", "--name", "plain"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/Secret\s+slc_[0-9A-Za-z]{38}/);
    expect(stdout).to.include("once");
  });

  it("says clearly what is wrong, with an exit code", async () => {
    const noToken = await keys(["list"], { SLUICE_ADMIN_TOKEN: "" });
    expect(noToken.code).to.equal(2);
    expect(noToken.stderr).to.include("--token").and.to.include("SLUICE_ADMIN_TOKEN");
    const wrongToken = await keys(["list", "--token", "nonsense"]);
    expect(wrongToken.code).to.equal(1);
    expect(wrongToken.stderr).to.include("invalid_admin_token").and.to.not.include("nonsense");
    const noServer = await keys(["list", "--url", "http://127.0.0.1:9"]);
    expect(noServer.code).to.equal(1);
    expect(noServer.stderr).to.include("no server answers at http://127.0.0.1:9");
    const faults = await keys(["create", "--name", "x", "--ip", "10/8"]);
    expect(faults.code).to.equal(1);
    expect(faults.stderr).to.include("/name").and.to.include("/ips/list/0");
    expect((await keys(["show"])).code).to.equal(2);
    expect((await keys(["explode"])).code).to.equal(2);
  });
});
