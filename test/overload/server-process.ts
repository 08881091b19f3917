import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answerCalls } from "../../bench/crowd/child.ts";
import { resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer, type SluiceServer } from "../../src/server.ts";

/** The server under attack: with an endpoint, a memory store, and every default that an operator gets. */
const Start = Compile(Type.Object({ adminToken: Type.String(), config: Type.Object({}) }));
let server: SluiceServer | undefined;

answerCalls({
  async start(argument) {
    const { adminToken, config } = Start.Parse(argument);
    const settings = resolveConfig({
      ...{ port: 0, adminPort: 0, host: "127.0.0.1", store: "memory:", adminToken },
      endpoints: [{ id: "ping", method: "GET", path: "/ping", handler: () => ({ pong: true }) }],
      ...config,
    });
    server = createServer(settings, { log: createLogger("warn") });
    const { url, adminUrl } = await server.start();
    return { port: Number(new URL(url).port), adminUrl, pid: process.pid };
  },
  /** What the process holds after a collection of garbage. */
  census() {
    collectGarbage();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return { rss, heapUsed, external, arrayBuffers, descriptors: readdirSync("/proc/self/fd").length };
  },
  async stop() {
    await server?.close();
  },
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}
