import { Agent, request } from "node:http";

/** A call every two milliseconds, whatever became of those before. */
const EVERY_MS = 2;

export type Latencies = {
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/**
 * Calls an endpoint with a key at a fixed rate while some work is under way. A call's time counts from when it was due, so that a
 * server that stands still makes all calls late that fell due meanwhile, and not only the one that it held.
 */
export async function latenciesDuring(
  url: string,
  secret: string,
  work: () => Promise<unknown>,
): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const times: number[] = [];
  const open = new Set<Promise<void>>();
  let failed = 0;
  let dueMs = performance.now();
  const timer = setInterval(() => {
    for (; dueMs <= performance.now(); dueMs += EVERY_MS) {
      const startedMs = dueMs;
      const call: Promise<void> = get(url, secret, agent)
        .then(
          (status) => {
            if (status === 200) times.push(performance.now() - startedMs);
            else failed += 1;
          },
          () => {
            failed += 1;
          },
        )
        .finally(() => open.delete(call));
      open.add(call);
    }
  }, EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await Promise.all(open);
    agent.destroy();
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { calls: times.length, failed, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function get(url: string, secret: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, headers: { "x-api-key": secret } }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
      response.once("error", reject);
    });
    call.once("error", reject);
    call.end();
  });
}
