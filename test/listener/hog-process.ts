import { closeSync, openSync } from "node:fs";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answerCalls } from "../../bench/crowd/child.ts";
import { resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer, type SluiceServer } from "../../src/server.ts";

/** A server in a process with few descriptors, all of which it can take itself. */
const Start = Compile(Type.Object({ store: Type.String() }));
const held: number[] = [];
let server: SluiceServer | undefined;

answerCalls({
  async start(argument) {
    const config = resolveConfig({
      ...{ port: 0, adminPort: 0, host: "127.0.0.1", adminToken: "hog-admin-token-0123456789" },
      ...Start.Parse(argument),
    });
    server = createServer(config, { log: createLogger("silent") });
    const { url, adminUrl } = await server.start();
    return { port: Number(new URL(url).port), adminPort: Number(new URL(adminUrl).port) };
  },
  /** Takes every descriptor that is left. @returns how many */
  async hog() {
    try {
      for (;;) held.push(openSync("/dev/null", "r"));
    } catch {
      return held.length;
    }
  },
  async release() {
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    return true;
  },
  /** Processor time of this process so far. */
  async processorMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  async stop() {
    await server?.close();
    return true;
  },
});
