/**
 * A server under half of what one core sustains, with clients that come and go, for as long as wanted: does it stay as
 * it is? A load client publishes to a loud channel of many members and checks every member's offsets. Beside it
 * members verify that they hear every message once and in order across their own reconnects, readers stop reading, keys
 * are edited and revoked. Run: npm run soak
 *
 * DURATION_MINUTES (60), RATE (publishes a second to the loud channel), MEMBERS (of it), CHURNERS, SEED; `--write`
 * keeps the figures for docs/benchmarks.md. Ends with 1 when something was wrong or is not flat.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { percentile } from "./crowd/child.ts";
import { type Census, ServerProcess } from "./crowd/server.ts";
import { buildLoadClient, LoadClient, type Measured } from "./load/load-client.ts";
import { room, socketIoArguments } from "./load/scripts.ts";
import { pin } from "./processes.ts";
import { describe, type Provenance, provenance } from "./report/kept.ts";
import { SoakFigures, soakText } from "./report/soak.ts";
import { keep } from "./results.ts";
import { type Report, SoakCrowd } from "./soak/crowd.ts";
import { type Sample, trendsOf } from "./soak/verdict.ts";

const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const MINUTES = setting("DURATION_MINUTES", 60);
const RATE = setting("RATE", 1_500);
const MEMBERS = setting("MEMBERS", 1_000);
const CHURNERS = setting("CHURNERS", 50);
const SEED = setting("SEED", 1);
const CHANNELS = Array.from({ length: 10 }, (_, index) => `soak:${index}`);
const LOUD = room(0);
const STEADY = 50;
const SLOW_READERS = 2;
/** A stalled reader has what the kernel buffers (some megabytes) and then its own limit to fill. */
const STALL_MS = 120_000;
/** Histories, tokens and ids last for two minutes, and what drops them looks every half minute. */
const SETTLE_MS = MINUTES >= 10 ? 200_000 : 5_000;
const MIB = 1024 * 1024;
/** What asks the server how it is. */
const SOCKETS_SLACK = 2;

const sampleSeconds = Math.min(60, (MINUTES * 60) / 12);
const binary = buildLoadClient();
if (binary !== undefined) process.exitCode = (await soak(binary)) ? 0 : 1;

async function soak(loadClient: string): Promise<boolean> {
  const whence = provenance();
  const folder = mkdtempSync(join(tmpdir(), "sluice-soak-"));
  const server = new ServerProcess();
  const crowd = new SoakCrowd();
  let loud: LoadClient | undefined;
  try {
    pin(server.child.process.pid, 0);
    pin(crowd.child.process.pid, 1);
    await server.start(`lmdb:${join(folder, "data")}`);
    const { secret } = await server.createKey({ name: "soak" });
    const before = await server.census(true);
    console.log(`${describe(whence)}, seed ${SEED}. ${work()}\n`);
    await crowd.begin({
      url: `http://127.0.0.1:${server.port}`,
      adminUrl: server.adminUrl,
      apiKey: secret,
      seed: SEED,
      channels: CHANNELS,
      loudChannel: LOUD,
      steadyMembers: STEADY,
      churners: CHURNERS,
      slowReaders: SLOW_READERS,
      stallMs: STALL_MS,
    });
    loud = new LoadClient(loadClient, [
      ...["--port", String(server.port)],
      ...socketIoArguments(secret, { channels: 1, each: 1, ids: false }),
      ...["--members", String(MEMBERS), "--publishers", "4", "--rate", String(RATE), "--check-offsets"],
      ...["--warm", "5", "--seconds", String(MINUTES * 60), "--report", String(sampleSeconds)],
      ...["--pid", String(server.child.process.pid)],
    ]);
    await loud.connected();
    const { samples, measured } = await watch(server, crowd, loud);
    await loud.stop();
    const report = await crowd.end();
    await delay(SETTLE_MS);
    const after = await server.census(true);
    return judge({ whence, samples, measured, report, before, after });
  } finally {
    await Promise.all([loud?.stop(), crowd.stop(), server.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function work(): string {
  return (
    `${MEMBERS} members of a channel of ${RATE} publishes a second, ${STEADY} steady members of ${CHANNELS.length} channels ` +
    `of 10 a second, ${CHURNERS} clients that come and go, ${SLOW_READERS} that stop reading; ${MINUTES} minutes`
  );
}

/** A row for every interval, while the load client runs. */
async function watch(
  server: ServerProcess,
  crowd: SoakCrowd,
  loud: LoadClient,
): Promise<{ samples: Sample[]; measured: Measured[] }> {
  const samples: Sample[] = [];
  const all: Measured[] = [];
  console.log(
    "| minute | RSS MiB | heap MiB | external MiB | sockets | handles | delay p50 / p99 / max ms | load " +
      "| quiet p50 / p99 ms | loud p50 / p99 ms | deliveries/s | faults |",
  );
  console.log(`| ${Array.from({ length: 12 }, () => "---:").join(" | ")} |`);
  await server.load();
  await crowd.report();
  for (let measured = await loud.measured(); measured !== undefined; measured = await loud.measured()) {
    const [load, census, report] = await Promise.all([server.load(), server.census(), crowd.report()]);
    const sample: Sample = {
      minute: ((samples.length + 1) * sampleSeconds) / 60,
      rssMib: census.rss / MIB,
      heapMib: census.heapBytes / MIB,
      externalMib: (census.external + census.arrayBuffers) / MIB,
      sockets: socketsOf(census),
      handles: handlesOf(census),
      delayP50Ms: load.p50,
      delayP99Ms: load.p99,
      load: measured.serverLoad,
      latencyP50Ms: percentile(report.latenciesMs, 0.5),
      latencyP99Ms: percentile(report.latenciesMs, 0.99),
      loudP50Ms: measured.p50Us / 1_000,
      loudP99Ms: measured.p99Us / 1_000,
      deliveriesPerSecond: measured.deliveriesPerSecond,
      faults: faultsOf(report) + measured.offsetFaults + measured.closed,
    };
    samples.push(sample);
    all.push(measured);
    const cells = [
      sample.minute.toFixed(1),
      ...[sample.rssMib, sample.heapMib, sample.externalMib].map((value) => value.toFixed(1)),
      ...[sample.sockets, sample.handles].map(String),
      `${load.p50.toFixed(1)} / ${load.p99.toFixed(1)} / ${load.max.toFixed(0)}`,
      sample.load.toFixed(2),
      `${sample.latencyP50Ms.toFixed(1)} / ${sample.latencyP99Ms.toFixed(1)}`,
      `${sample.loudP50Ms.toFixed(1)} / ${sample.loudP99Ms.toFixed(1)}`,
      `${Math.round(sample.deliveriesPerSecond / 1_000)}k`,
      String(sample.faults),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  return { samples, measured: all };
}

type Outcome = {
  readonly whence: Provenance;
  readonly samples: Sample[];
  readonly measured: readonly Measured[];
  readonly report: Report;
  readonly before: Census;
  readonly after: Census;
};

function judge({ whence, samples, measured, report, before, after }: Outcome): boolean {
  const trends = trendsOf(samples);
  const last = measured.at(-1);
  const counts = {
    ...Object.fromEntries(Object.entries(report.faults).map(([kind, { count }]) => [kind, count])),
    "offsets out of order": last?.offsetFaults ?? 0,
    "loud members cut off": last?.closed ?? 0,
    "sockets left over": Math.max(0, socketsOf(after) - socketsOf(before) - SOCKETS_SLACK),
  };
  const faults = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  const [footprintBefore, footprintAfter] = [footprintOf(before), footprintOf(after)];
  const figures = {
    measured: whence,
    work: work(),
    trends,
    samples,
    before: footprintBefore,
    after: footprintAfter,
    faults,
  };
  console.log(`\n${soakText(figures)}\n\n${JSON.stringify(report.counts)}`);
  for (const [kind, { count, examples }] of Object.entries(report.faults)) {
    console.log(`FAULT ${kind}: ${count}\n  ${examples.join("\n  ")}`);
  }
  const isFlat = trends.every((trend) => trend.isFlat);
  const hasFaults = Object.keys(faults).length > 0;
  console.log(`\nVerdict: ${hasFaults ? "FAULTS" : "no fault"}, ${isFlat ? "flat" : "NOT flat"}.`);
  keep("soak", SoakFigures, () => figures);
  return !hasFaults && isFlat;
}

function footprintOf(census: Census): SoakFigures["before"] {
  return {
    heapMib: census.heapBytes / MIB,
    rssMib: census.rss / MIB,
    sockets: socketsOf(census),
    handles: handlesOf(census),
  };
}

function faultsOf({ faults }: Report): number {
  return Object.values(faults).reduce((sum, { count }) => sum + count, 0);
}

function handlesOf({ resources }: Census): number {
  return Object.values(resources).reduce((sum, count) => sum + count, 0);
}

function socketsOf({ resources }: Census): number {
  return resources["TCPSocketWrap"] ?? 0;
}
