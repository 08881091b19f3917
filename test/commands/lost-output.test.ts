import { closeSync, openSync } from "node:fs";
import { expect } from "chai";
import { Command, type Finished } from "../helpers/command.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("a secret that is shown once, on an output that takes nothing", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const environment = (): NodeJS.ProcessEnv => ({
    SLUICE_ADMIN_URL: server.adminUrl,
    SLUICE_ADMIN_TOKEN: server.adminToken,
  });
  /** On a disk without room. */
  const onFullDisk = async (args: readonly string[]): Promise<Finished> => {
    const output = openSync("/dev/full", "w");
    try {
      return await new Command(args, { cwd: ".", env: environment(), output }).finished();
    } finally {
      closeSync(output);
    }
  };
  /** Before a reader that has gone. */
  const intoClosedPipe = (args: readonly string[]): Promise<Finished> => {
    const command = new Command(args, { cwd: ".", env: environment() });
    command.child.stdout?.destroy();
    return command.finished();
  };

  for (const [where, run] of [
    ["a full disk", onFullDisk],
    ["a closed pipe", intoClosedPipe],
  ] as const) {
    it(`fails with what to do, of a new key, on ${where}`, async () => {
      const { code, stderr } = await run(["keys", "create", "--name", "lost"]);
      expect(code, stderr).to.equal(1);
      expect(stderr)
        .to.include("the new secret could not be written")
        .and.to.match(/key_\w+/)
        .and.to.not.match(/slc_|\n\s+at /);
    });

    it(`fails with what to do, of a rotated key, on ${where}`, async () => {
      const { id } = await server.createKey();
      const { code, stderr } = await run(["keys", "rotate", id, "--json"]);
      expect(code, stderr).to.equal(1);
      expect(stderr)
        .to.include("the new secret could not be written")
        .and.to.include(id)
        .and.to.not.match(/slc_|\n\s+at /);
    });
  }
});
