import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { expect } from "chai";
import { LogDestination } from "../../src/observe/log-destination.ts";

const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe("LogDestination", () => {
  it("loses lines that cannot be written, says how many with the next one, and never throws", () => {
    let written = "";
    let fault: Error | undefined = failure("ENOSPC");
    const log = new LogDestination((bytes) => {
      if (fault !== undefined) throw fault;
      written += bytes.toString();
      return bytes.length;
    });
    for (const line of ["one\n", "two\n"]) log.write(line);
    fault = failure("EMFILE");
    log.write("three\n");
    expect(log.lost).to.equal(3);
    fault = undefined;
    log.write("four\n");
    expect(written).to.match(/^\{.*"lost":3.*\}\nfour\n$/);
  });

  it("keeps a bounded number of lines in their order while a pipe is full", async () => {
    let written = "";
    let isFull = true;
    const log = new LogDestination((bytes) => {
      if (isFull) throw failure("EAGAIN");
      // A pipe may take a part of a line.
      const part = bytes.subarray(0, 100_000);
      written += part.toString();
      return part.length;
    });
    const lines = Array.from({ length: 30 }, (_, n) => `${n}${"x".repeat(50_000)}\n`);
    for (const line of lines) log.write(line);
    expect(log.lost).to.equal(10);
    isFull = false;
    while (written.length < 1_000_000) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(written).to.equal(lines.slice(0, 20).join(""));
  });
});

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

describe("a server whose log cannot be written", () => {
  for (const [what, openLog] of [
    ["is a full disk", () => openSync("/dev/full", "w")],
    ["has no reader any more", () => undefined],
  ] as const) {
    it(`goes on when the log ${what}, and closes in order`, async () => {
      const port = await freePort();
      const options = ["--port", String(port), "--admin-port", "0", "--store", "memory:"];
      const child = spawn(process.execPath, ["--import", "tsx", "src/cli.ts", "start", ...options], {
        stdio: ["ignore", openLog() ?? "pipe", "pipe"],
        env: {
          ...process.env,
          SLUICE_LOG_LEVEL: "debug",
          SLUICE_ADMIN_TOKEN: "log-test-admin-token-012345",
        },
      });
      child.stdout?.destroy();
      const exit = once(child, "exit");
      let isOver = false;
      void exit.then(() => {
        isOver = true;
      });
      const asks = async (): Promise<number | undefined> =>
        (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status;
      while (!isOver && (await asks()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      // It has said that it runs, which could not be written.
      expect(await asks()).to.equal(200);
      child.kill("SIGTERM");
      expect(await exit).to.deep.equal([0, null]);
    });
  }
});
