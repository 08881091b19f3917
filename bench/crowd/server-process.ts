import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer } from "../../src/server.ts";
import { answerCalls } from "./child.ts";

/** A server in a process of its own, started when it is told where its store is. */
const Start = Compile(
  Type.Object({ store: Type.String(), adminToken: Type.String(), keySweepSeconds: Type.Number() }),
);
const loop = monitorEventLoopDelay({ resolution: 1 });
let cpu = process.cpuUsage();
let leastHeap = Number.POSITIVE_INFINITY;
const isFull = Compile(Type.Object({ collect: Type.Literal(true) }));

answerCalls({
  async start(argument) {
    const config = resolveConfig({ port: 0, adminPort: 0, host: "127.0.0.1", ...Start.Parse(argument) });
    const { url, adminUrl } = await createServer(config, { log: createLogger("error") }).start();
    return { port: Number(new URL(url).port), adminUrl, pid: process.pid };
  },
  /** Event-loop delay and processor time since the call before. */
  load() {
    loop.disable();
    // Beyond the resolution at which it looks, in milliseconds.
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
    const { user, system } = process.cpuUsage(cpu);
    const seen = {
      p50: ms(loop.percentile(50)),
      p99: ms(loop.percentile(99)),
      max: ms(loop.max),
      cpuMs: (user + system) / 1_000,
    };
    loop.reset();
    loop.enable();
    cpu = process.cpuUsage();
    return seen;
  },
  /** What the process holds. The heap is the least since the call before: what a collection left over. */
  census(argument) {
    if (isFull.Check(argument)) collectGarbage();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    const leastHeapBytes = isFull.Check(argument) ? heapUsed : Math.min(leastHeap, heapUsed);
    leastHeap = Number.POSITIVE_INFINITY;
    return { rss, heapBytes: leastHeapBytes, external, arrayBuffers, resources };
  },
});

setInterval(() => {
  leastHeap = Math.min(leastHeap, process.memoryUsage().heapUsed);
}, 1_000).unref();

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}
