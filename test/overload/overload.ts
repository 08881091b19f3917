import { expect } from "chai";
import { Type } from "typebox";
import type { ConfigInput } from "../../src/config/config.ts";
import { AttackedServer, type Census } from "./attacked-server.ts";
import { ATTACKS } from "./attacks/index.ts";
import { HonestClient, type HonestReport } from "./honest-client.ts";
import { limitedChild } from "./limited-child.ts";
import { pause } from "./raw-client.ts";

export type OverloadSize = {
  readonly scale: number;
  readonly seconds: number;
  readonly heapMb: number | undefined;
  readonly openFiles: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly warmUpMs: number;
};

/** Compiled code, statistics and samples that come with any work. */
const HEAP_SLACK_BYTES = 24e6;
const DESCRIPTOR_SLACK = 16;
const ATTACKER_ENDS_WITHIN_SECONDS = 10;
const LET_GO_WITHIN_MS = 30_000;

/** What the attacker fills is kept for its time, which the honest client's channel outlives. */
const CONFIG: ConfigInput = {
  channels: [
    { pattern: "honest:**", history: { size: 1_000, seconds: 120 } },
    { pattern: "**", history: { size: 10_000, seconds: 10 } },
  ],
};

/** The server that is attacked: a start of its own for each attack, or one for several. */
export function startAttacked({ heapMb, openFiles }: OverloadSize): Promise<AttackedServer> {
  return new AttackedServer({ heapMb, openFiles }).start(CONFIG);
}

/**
 * One attack from another process and address, beside an honest client on another key. The process lives, the honest client
 * loses nothing and does not wait, and everything that the attacker had the server hold is let go of. Returns a line of figures.
 */
export async function runAttack(server: AttackedServer, name: string, size: OverloadSize): Promise<string> {
  const attack = ATTACKS.get(name);
  if (attack === undefined) throw new Error(`no attack "${name}"`);
  const honest = new HonestClient();
  const attacker = limitedChild(new URL("attack-process.ts", import.meta.url), { niceness: 15 });
  try {
    const honestKey = await server.createKey({ name: "honest", endpoints: { mode: "full-access" } });
    const attackerKey = await server.createKey({ name: "attacker", ...attack.key });
    await honest.open(server.port, honestKey.secret);
    await pause(size.warmUpMs);
    const before = await server.census();
    await honest.reset();
    const { scale, seconds } = size;
    const argument = { name, port: server.port, secret: attackerKey.secret, scale, seconds };
    // An attacker that waits for something of its own is ended: it is the server that is tested.
    const overdue = pause((seconds + ATTACKER_ENDS_WITHIN_SECONDS) * 1_000).then(
      () => "did not end by itself",
    );
    const did = await Promise.race([attacker.call(Type.String(), "run", argument), overdue]);
    const seen = await honest.report();
    const during = server.end === undefined ? await server.census() : undefined;
    await attacker.stop();
    const say = `${did}; honest ${figures(seen)}`;
    expect(server.end, `the server's process lives on (${say})`).to.equal(undefined);
    expect(seen.failures, `what the honest client saw (${say})`).to.deep.equal([]);
    expect(seen.p50, `the median of honest messages (${say})`).to.be.below(size.p50Ms);
    expect(seen.p99, `the 99th percentile of honest messages (${say})`).to.be.below(size.p99Ms);
    const kept = await honest.finish();
    expect(kept.acknowledged, "honest messages that were acknowledged").to.equal(kept.published);
    expect(kept.stays, "honest members that are still there").to.equal(kept.members);
    expect(
      kept.deaf,
      `where honest members stand that did not hear all up to ${kept.lastOffset}`,
    ).to.deep.equal([]);
    expect(kept.repeated, "the first honest id, used again").to.contain("id_conflict");
    expect(kept.missingFromHistory, "messages gone from the honest channel's history").to.equal(0);
    const letGoMs = await letGo(server, before, attack.keepsMb ?? 0, say);
    return `${say}; held ${megabytes(during)} MB at the end, let go within ${(letGoMs / 1_000).toFixed(0)} s`;
  } finally {
    await Promise.all([honest.stop(), attacker.stop()]);
  }
}

/** How long it takes until the server holds what it held before. */
async function letGo(server: AttackedServer, before: Census, keepsMb: number, say: string): Promise<number> {
  const sinceMs = performance.now();
  for (;;) {
    const now = await server.census();
    const heapBytes = now.heapUsed + now.arrayBuffers - before.heapUsed - before.arrayBuffers;
    const descriptors = now.descriptors - before.descriptors;
    if (heapBytes < HEAP_SLACK_BYTES + keepsMb * 1e6 && descriptors < DESCRIPTOR_SLACK)
      return performance.now() - sinceMs;
    if (performance.now() - sinceMs > LET_GO_WITHIN_MS)
      throw new Error(`still held: ${(heapBytes / 1e6).toFixed(1)} MB, ${descriptors} descriptors (${say})`);
    await pause(500);
  }
}

function figures({ count, p50, p99, max, callP50, callP99 }: HonestReport): string {
  const ms = (value: number): string => value.toFixed(1);
  return `p50/p99/max ${ms(p50)}/${ms(p99)}/${ms(max)} ms of ${count}, calls ${ms(callP50)}/${ms(callP99)} ms`;
}

function megabytes(census: Census | undefined): string {
  return census === undefined ? "?" : ((census.heapUsed + census.arrayBuffers) / 1e6).toFixed(0);
}
