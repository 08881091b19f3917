import { join } from "node:path";
import { expect } from "chai";
import { Crowd } from "../../bench/crowd/crowd.ts";
import { type Key, ServerProcess } from "../../bench/crowd/server.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

const VICTIMS = Number(process.env["CONNECTIONS"] ?? 10_000);
const BYSTANDERS = 200;
const CHANNELS = Array.from({ length: 20 }, (_, index) => `room:${index}`);
/** The others have WebSockets. */
const POLLING_SHARE = 1 / 20;
const FLOW_EVERY_MS = 40;
const TOLD_WITHIN_MS = 1_000;
const GONE_WITHIN_MS = 2_000;
const P99_MS = 100;

describe(`${VICTIMS} open connections of one key, beside ${BYSTANDERS} of another`, () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let server: ServerProcess;
  let victims: Crowd;
  let bystanders: Crowd;
  let operator: Key;

  before(async () => {
    folder = temporaryFolder();
    server = await new ServerProcess().start(`lmdb:${join(folder.path, "data")}`);
    bystanders = new Crowd();
    operator = await server.createKey({ name: "operator" });
    const { secret } = await server.createKey({ name: "bystander" });
    await open(bystanders, "bystanders", BYSTANDERS, secret);
  });
  beforeEach(() => {
    victims = new Crowd();
  });
  afterEach(async () => {
    await Promise.all([bystanders.stopFlow(), victims.stop()]);
  });
  after(async () => {
    await Promise.all([bystanders?.stop(), server?.stop()]);
    folder.remove();
  });

  const open = (
    crowd: Crowd,
    group: string,
    count: number,
    apiKey: string,
    localAddresses = ["127.0.0.1"],
  ): Promise<number> =>
    crowd.open({
      group,
      count,
      port: server.port,
      apiKey,
      channels: CHANNELS,
      localAddresses,
      polling: count * POLLING_SHARE,
    });

  /**
   * A key with many connections, and messages flowing in their channels. They join without the presence right, since
   * all of them hearing of all others is not what is tested, and have it when the test begins.
   */
  const crowdOf = async (group: string, localAddresses?: string[]): Promise<Key> => {
    const channels = [{ pattern: "**", actions: ["join", "publish"] }];
    const key = await server.createKey({ name: group, channels });
    expect(await open(victims, group, VICTIMS, key.secret, localAddresses)).to.equal(VICTIMS);
    const granted = await server.admin("PATCH", `/keys/${key.id}`, { body: { channels: null }, version: 1 });
    expect(granted.status).to.equal(200);
    await bystanders.flow("bystanders", FLOW_EVERY_MS);
    await quiet(2_000);
    await bystanders.reset("bystanders");
    return key;
  };

  const quiet = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it("revoked: nothing more is delivered, all are told, all are gone, and others do not notice", async () => {
    const key = await crowdOf("revoked");
    const before = await latencyOver(2_000);
    await bystanders.reset("bystanders");
    await server.load();
    const { status, sentMs, answeredMs } = await server.admin("DELETE", `/keys/${key.id}`);
    await server.mark(operator.secret, CHANNELS);
    expect(status).to.equal(204);
    await victims.gone("revoked", VICTIMS, 20_000);
    const load = await server.load();
    const seen = await victims.report("revoked");
    const lastGoneMs = seen.lastGoneMs ?? Number.NaN;
    const others = await bystanders.report("bystanders", sentMs, lastGoneMs);
    say(
      `API call ${(answeredMs - sentMs).toFixed(0)} ms; after its answer: last told ${since(seen.lastToldMs, answeredMs)}, ` +
        `last gone ${since(seen.lastGoneMs, answeredMs)}; bystanders' p50/p99/max ${text(others.latency)} ` +
        `(before ${text(before)}); leaves heard by them ${others.leaves}; ` +
        `CPU ${load.cpuMs.toFixed(0)} ms, event loop p99/max ${load.p99.toFixed(0)}/${load.max.toFixed(0)} ms`,
    );
    expect(seen.told).to.deep.equal({ invalid_api_key: VICTIMS });
    expect(seen.gone).to.equal(VICTIMS);
    expect(seen.markers).to.equal(0);
    expect(seen.latestSentMs).to.be.below(answeredMs);
    // They go together, and are not told of each other.
    expect(seen.leaves).to.equal(0);
    expect(others).to.include({ open: BYSTANDERS, gone: 0, markers: BYSTANDERS });
    expect(others.told).to.deep.equal({});
    expect(others.leaves).to.be.at.most((VICTIMS * BYSTANDERS) / CHANNELS.length);
    expect((seen.lastToldMs ?? Number.NaN) - answeredMs).to.be.below(TOLD_WITHIN_MS);
    expect(lastGoneMs - answeredMs).to.be.below(GONE_WITHIN_MS);
    expect(others.latency.p99).to.be.below(P99_MS);
  });

  it("with another list of addresses: those outside it are closed, the others stay", async () => {
    const key = await crowdOf("addresses", ["127.0.0.1", "127.0.0.2"]);
    const body = { ips: { mode: "specified", list: ["127.0.0.1"] } };
    await server.load();
    const { status, sentMs, answeredMs } = await server.admin("PATCH", `/keys/${key.id}`, {
      body,
      version: 2,
    });
    expect(status).to.equal(200);
    await server.mark(operator.secret, CHANNELS);
    await victims.gone("addresses", VICTIMS / 2, 20_000);
    const load = await server.load();
    const seen = await victims.report("addresses");
    const others = await bystanders.report("bystanders", sentMs, seen.lastGoneMs ?? Number.NaN);
    say(
      `API call ${(answeredMs - sentMs).toFixed(0)} ms; last told ${since(seen.lastToldMs, answeredMs)}, ` +
        `last gone ${since(seen.lastGoneMs, answeredMs)}; bystanders' p50/p99/max ${text(others.latency)}; ` +
        `CPU ${load.cpuMs.toFixed(0)} ms, event loop p99/max ${load.p99.toFixed(0)}/${load.max.toFixed(0)} ms`,
    );
    expect(seen.told).to.deep.equal({ ip_not_authorized: VICTIMS / 2 });
    expect(seen).to.include({ gone: VICTIMS / 2, open: VICTIMS / 2, markers: VICTIMS / 2 });
    expect((seen.lastToldMs ?? Number.NaN) - answeredMs).to.be.below(TOLD_WITHIN_MS);
    expect((seen.lastGoneMs ?? Number.NaN) - answeredMs).to.be.below(GONE_WITHIN_MS);
    expect(others.latency.p99).to.be.below(P99_MS);
    expect(others).to.include({ open: BYSTANDERS, gone: 0 });

    // And now those are the many who have nothing to do with it, while another key is edited.
    const other = await server.createKey({ name: "edited" });
    await bystanders.reset("bystanders");
    await victims.reset("addresses");
    for (let version = 1; version <= 50; version += 1) {
      const edit = { metadata: { version } };
      const answer = await server.admin("PATCH", `/keys/${other.id}`, { body: edit, version });
      expect(answer.status).to.equal(200);
    }
    expect(await victims.report("addresses")).to.include({ open: VICTIMS / 2, gone: 0, other: 0 });
    expect((await bystanders.report("bystanders")).latency.p99).to.be.below(P99_MS);
  });

  it("expired: all are told at the instant, not before, and gone", async () => {
    const key = await crowdOf("expired");
    const inMs = 3_000;
    const body = { expiresAt: new Date(Date.now() + inMs).toISOString() };
    const untilMs = Date.parse(body.expiresAt) - Date.now();
    const instantMs = performanceNow() + untilMs;
    const { status } = await server.admin("PATCH", `/keys/${key.id}`, { body, version: 2 });
    expect(status).to.equal(200);
    await victims.gone("expired", VICTIMS, 20_000);
    const seen = await victims.report("expired");
    const others = await bystanders.report("bystanders", instantMs, seen.lastGoneMs ?? Number.NaN);
    say(
      `first told ${since(seen.firstToldMs, instantMs)} after the instant, last told ${since(seen.lastToldMs, instantMs)}, ` +
        `last gone ${since(seen.lastGoneMs, instantMs)}; bystanders' p50/p99/max ${text(others.latency)}`,
    );
    expect(seen.told).to.deep.equal({ expired_api_key: VICTIMS });
    expect((seen.firstToldMs ?? Number.NaN) - instantMs).to.be.above(-2);
    expect((seen.latestSentMs ?? Number.NaN) - instantMs).to.be.below(P99_MS);
    expect((seen.lastToldMs ?? Number.NaN) - instantMs).to.be.below(TOLD_WITHIN_MS + P99_MS);
    expect((seen.lastGoneMs ?? Number.NaN) - instantMs).to.be.below(GONE_WITHIN_MS + P99_MS);
  });

  const latencyOver = async (ms: number) => {
    const fromMs = performanceNow();
    await quiet(ms);
    return (await bystanders.report("bystanders", fromMs)).latency;
  };
});

function performanceNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function since(instantMs: number | null, fromMs: number): string {
  return instantMs === null ? "never" : `${(instantMs - fromMs).toFixed(0)} ms`;
}

function text({ p50, p99, max, count }: { p50: number; p99: number; max: number; count: number }): string {
  return `${p50.toFixed(1)}/${p99.toFixed(1)}/${max.toFixed(1)} ms of ${count}`;
}

function say(line: string): void {
  console.log(`      ${line}`);
}
