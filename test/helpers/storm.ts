import { expect } from "chai";
import { nowMs } from "../../bench/crowd/child.ts";
import { Crowd } from "../../bench/crowd/crowd.ts";
import { ServerProcess } from "../../bench/crowd/server.ts";
import { SocketClient } from "./socket-client.ts";

const CHANNEL = "storm";
const INSIDERS = 2;
/** They, and one who watches for the others to be gone. */
const RESIDENTS = INSIDERS + 1;
const OUTSIDERS = 20;
/** A channel of up to so many tells each of each. */
const MAX_WATCHED = 500;
/** Compiled code and the like; and who may come back within two minutes. */
const HEAP_SLACK = 8e6;
const HEAP_PER_CLIENT = 2_000;

export type StormBounds = {
  readonly count: number;
  /** How many of them poll. One that dies between two polls is missed only when it leaves a ping unanswered. */
  readonly polling: number;
  readonly joinedWithinMs: number;
  /** What any message of a bystander may take while they join. */
  readonly latencyMs: number;
  readonly goneWithinMs: number;
  /** The same while they go. Node has all sockets that end at once end in one turn of its loop. */
  readonly goneLatencyMs: number;
  /** What the server may hold for each who joins, sockets and all. */
  readonly bytesPerMember: number;
};

/**
 * So many join one channel as fast as they can, and then their process is killed. Members of the channel and of another
 * one send meanwhile, and hear each other without much delay. Returns a line about what was measured.
 */
export async function runStorm({ count, polling, ...bounds }: StormBounds): Promise<string> {
  const server = new ServerProcess();
  const [storm, bystanders] = [new Crowd(), new Crowd()];
  let watcher: SocketClient | undefined;
  try {
    await server.start("memory:");
    const { secret } = await server.createKey({ name: "storm" });
    const open = (
      crowd: Crowd,
      group: string,
      size: number,
      channel: string,
      polls: number,
    ): Promise<number> =>
      crowd.open({
        group,
        count: size,
        port: server.port,
        apiKey: secret,
        channels: [channel],
        localAddresses: ["127.0.0.1"],
        polling: polls,
      });
    await open(bystanders, "insiders", INSIDERS, CHANNEL, 0);
    watcher = await new SocketClient(`http://127.0.0.1:${server.port}`, { apiKey: secret }).ready();
    await watcher.request("join", { channel: CHANNEL });
    await open(bystanders, "outsiders", OUTSIDERS, "elsewhere", OUTSIDERS / 10);
    // The first message compiles what the others use.
    await Promise.all([bystanders.flow("insiders", 500), bystanders.flow("outsiders", 40)]);
    await server.mark(secret, [CHANNEL]);
    await Promise.all([bystanders.reset("insiders"), bystanders.reset("outsiders")]);
    const before = await server.census(true);

    const startMs = nowMs();
    expect(await open(storm, "storm", count, CHANNEL, polling), "acknowledged joins").to.equal(count);
    const joinedMs = nowMs() - startMs;
    const full = await server.census(true);
    const listed = await server.membersOf(secret, CHANNEL);
    const [inside, outside] = await Promise.all([
      bystanders.report("insiders"),
      bystanders.report("outsiders"),
    ]);
    await Promise.all([bystanders.reset("insiders"), bystanders.reset("outsiders"), server.load()]);

    const killMs = nowMs();
    await storm.stop();
    const left = await emptied(server, secret, watcher, bounds.goneWithinMs);
    const goneMs = nowMs() - killMs;
    const [insideAfter, outsideAfter] = await Promise.all([
      bystanders.report("insiders"),
      bystanders.report("outsiders"),
    ]);
    const load = await server.load();
    const after = await settled(server, before.heapBytes + HEAP_SLACK + count * HEAP_PER_CLIENT);
    const kilobytes = (full.rss - before.rss) / 1_024 / count;
    const line =
      `${count} joined in ${(joinedMs / 1_000).toFixed(1)} s, ${kilobytes.toFixed(1)} kB each; ` +
      `a member's messages p50/max ${text(inside.latency)}, others' ${text(outside.latency)}; ` +
      `gone in ${(goneMs / 1_000).toFixed(1)} s: ${text(insideAfter.latency)}, ${text(outsideAfter.latency)}, event loop at most ${load.max.toFixed(0)} ms; ` +
      `heard by members: ${inside.joins} joins, ${inside.counts} numbers, ${insideAfter.leaves} leaves, ` +
      `${insideAfter.counts} numbers; heap left over ${((after.heapBytes - before.heapBytes) / 1e6).toFixed(1)} MB`;

    expect(joinedMs, line).to.be.below(bounds.joinedWithinMs);
    expect(new Set(listed.ids).size, line).to.equal(count + RESIDENTS);
    expect([listed.ids.length, listed.count], line).to.deep.equal([count + RESIDENTS, count + RESIDENTS]);
    // The bound of the channel, then a number a second.
    expect(inside.joins, line).to.be.at.most(MAX_WATCHED * INSIDERS);
    expect(inside.counts, line).to.be.at.most(INSIDERS * (3 + joinedMs / 1_000));
    expect(inside.lastCount, line).to.be.above(MAX_WATCHED);
    // Those who polled go last, and when they are few they are told of one by one.
    expect(insideAfter.leaves, line).to.be.at.most(Math.min(polling, MAX_WATCHED) * INSIDERS);
    expect(insideAfter.counts, line).to.be.at.most(INSIDERS * (3 + goneMs / 1_000));
    expect(left, line).to.equal(RESIDENTS);
    for (const seen of [inside, outside, outsideAfter]) expect(seen.latency.count, line).to.be.above(0);
    for (const { latency } of [inside, outside]) expect(latency.max, line).to.be.below(bounds.latencyMs);
    for (const { latency } of [insideAfter, outsideAfter]) {
      expect(latency.max, line).to.be.below(bounds.goneLatencyMs);
    }
    expect((full.rss - before.rss) / count, line).to.be.below(bounds.bytesPerMember);
    expect(after.heapBytes - before.heapBytes, line).to.be.below(HEAP_SLACK + count * HEAP_PER_CLIENT);
    return line;
  } finally {
    watcher?.close();
    await Promise.all([storm, bystanders, server].map((child) => child.stop()));
  }
}

/** How many are left in the channel once a member has heard all others leave, or after a while. */
async function emptied(
  server: ServerProcess,
  secret: string,
  { socket }: SocketClient,
  withinMs: number,
): Promise<number> {
  const deadline = AbortSignal.timeout(withinMs);
  for (;;) {
    const heard = nextOf(socket, ["channel:leave", "channel:presence"], deadline);
    const { count } = await server.membersOf(secret, CHANNEL);
    if (count <= RESIDENTS || !(await heard)) return count;
  }
}

/** @returns whether one of the events came before the deadline. */
function nextOf(
  socket: SocketClient["socket"],
  events: readonly string[],
  deadline: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (): void => done(false);
    const hear = (event: string): void => {
      if (events.includes(event)) done(true);
    };
    const done = (came: boolean): void => {
      socket.offAny(hear);
      deadline.removeEventListener("abort", end);
      resolve(came);
    };
    socket.onAny(hear);
    deadline.addEventListener("abort", end);
    if (deadline.aborted) end();
  });
}

/** What the server holds once the last sockets are let go, or after a while. Each question gives it a turn of its loop. */
async function settled(server: ServerProcess, heapBytes: number): ReturnType<ServerProcess["census"]> {
  const untilMs = nowMs() + 30_000;
  for (;;) {
    const census = await server.census(true);
    if (census.heapBytes < heapBytes || nowMs() > untilMs) return census;
  }
}

function text({ p50, max, count }: { p50: number; max: number; count: number }): string {
  return `${p50.toFixed(0)}/${max.toFixed(0)} ms of ${count}`;
}
