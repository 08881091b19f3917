/**
 * How fast a change of a key reaches its open connections, and what an edit of one key costs the connections of
 * others. The server, the connections of the key and the 200 of another key that measure are processes of their own;
 * the store is LMDB. Run: npm run bench:enforcement (`CONNECTIONS=1000,5000`, `ROUNDS=1` and `EDIT_ROUNDS=0` for less; `-- --write` keeps
 * the figures)
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { nowMs, percentile } from "./crowd/child.ts";
import { Crowd } from "./crowd/crowd.ts";
import { ServerProcess } from "./crowd/server.ts";
import { median } from "./pairs.ts";
import {
  type Difference,
  type EditsAlone,
  EnforcementFigures,
  editsText,
  type Revocation,
  revocationsText,
  type Windows,
} from "./report/enforcement.ts";
import { describe, provenance } from "./report/kept.ts";
import { keep } from "./results.ts";

const SIZES = (process.env["CONNECTIONS"] ?? "1000,5000,10000").split(",").map(Number);
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const BYSTANDERS = 200;
const CHANNELS = Array.from({ length: 20 }, (_, index) => `room:${index}`);
const FLOW_EVERY_MS = 40;
const EDIT_ROUNDS = Number(process.env["EDIT_ROUNDS"] ?? 20);
const WINDOW_MS = 2_000;
const EDIT_EVERY_MS = 100;
const EDITS_ALONE = 200;
const KINDS: readonly Kind[] = ["nothing", "created", "edited"];

type Row = { p50Ms: number; p99Ms: number; loopP50Ms: number; loopP99Ms: number; cpuMs: number };
const MEASURES: readonly (readonly [keyof Row, string])[] = [
  ["p50Ms", "message latency p50 ms"],
  ["p99Ms", "message latency p99 ms"],
  ["loopP50Ms", "event-loop delay p50 ms"],
  ["loopP99Ms", "event-loop delay p99 ms"],
  ["cpuMs", `server CPU ms in ${WINDOW_MS / 1_000} s`],
];

type Kind = "nothing" | "created" | "edited";

const measured = provenance();
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const server = await new ServerProcess().start(`lmdb:${join(folder, "data")}`);
const bystander = await server.createKey({ name: "bystander" });
const [many, few] = [new Crowd(), new Crowd()];
try {
  console.log(`${describe(measured)}\n`);
  // The first ones compile the program's paths.
  await timeEdits();
  const editsAlone = await timeEdits();
  await open(few, "bystanders", BYSTANDERS, bystander.secret);
  await few.flow("bystanders", FLOW_EVERY_MS);
  if (ROUNDS > 0) await benchRevocations();
  if (EDIT_ROUNDS > 0) await benchEdits(editsAlone);
} finally {
  await Promise.all([many.stop(), few.stop(), server.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

/** Delete a key that has many connections. */
async function benchRevocations(): Promise<void> {
  for (const size of SIZES) {
    const rounds: Revocation[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await revoke(`${size} ${round}`, size));
    const revocations = { [size]: { measured, rounds } };
    console.log(`${revocationsText(revocations)}\n`);
    keep("enforcement", EnforcementFigures, (kept) => ({
      ...kept,
      revocations: { ...kept?.revocations, ...revocations },
    }));
  }
}

async function revoke(group: string, size: number): Promise<Revocation> {
  const key = await crowdOf(group, size);
  await few.reset("bystanders");
  await server.load();
  const { sentMs, answeredMs, status } = await server.admin("DELETE", `/keys/${key.id}`);
  if (status !== 204) throw new Error(`the key was not deleted: ${status}`);
  await server.mark(bystander.secret, CHANNELS);
  await many.gone(group, size, 30_000);
  const { cpuMs } = await server.load();
  const seen = await many.report(group);
  const others = await few.report("bystanders", sentMs, Number(seen.lastGoneMs));
  if (seen.gone !== size || others.gone > 0) throw new Error(JSON.stringify({ seen, others }));
  return {
    callMs: answeredMs - sentMs,
    toldMs: Number(seen.lastToldMs) - answeredMs,
    goneMs: Number(seen.lastGoneMs) - answeredMs,
    cpuMs,
    delivered: seen.markers + Number(Number(seen.latestSentMs) > answeredMs),
    p50Ms: others.latency.p50,
    p99Ms: others.latency.p99,
  };
}

/**
 * Edits of a key that nobody uses, while many connections of another are open: rounds of three windows, in turning
 * order, with nothing, with keys created and with edits. Creating a key is the same request, the same durable write and
 * the same audit entry, but touches no key that exists: what edits cost beyond it is what deciding again costs.
 */
async function benchEdits(withNone: EditsAlone): Promise<void> {
  const size = Math.max(...SIZES);
  await crowdOf("edited beside", size);
  await few.stopFlow();
  await delay(500);
  const beside = await timeEdits();
  await few.flow("bystanders", FLOW_EVERY_MS);
  const edited = await server.createKey({ name: "edited" });
  let version = 1;
  const work: Readonly<Record<Kind, () => Promise<unknown>>> = {
    nothing: async () => undefined,
    created: () => server.createKey({ name: "created", allowRealtime: false }),
    edited: () => editOnce(edited.id, version++),
  };
  const windowOf = async (kind: Kind): Promise<Row> => {
    await server.load();
    const fromMs = nowMs();
    while (nowMs() - fromMs < WINDOW_MS) {
      await work[kind]();
      await delay(EDIT_EVERY_MS);
    }
    const untilMs = nowMs();
    const { p50: loopP50Ms, p99: loopP99Ms, cpuMs } = await server.load();
    // What was sent at the window's end is on its way.
    await delay(200);
    const { latency } = await few.report("bystanders", fromMs, untilMs);
    await few.reset("bystanders");
    return { p50Ms: latency.p50, p99Ms: latency.p99, loopP50Ms, loopP99Ms, cpuMs };
  };
  const rounds: Record<Kind, Row>[] = [];
  for (const kind of KINDS) await windowOf(kind);
  for (let n = 0; n < EDIT_ROUNDS; n += 1) {
    const rows = new Map<Kind, Row>();
    for (let turn = 0; turn < KINDS.length; turn += 1) {
      const kind = KINDS[(n + turn) % KINDS.length] ?? "nothing";
      rows.set(kind, await windowOf(kind));
    }
    const [nothing, created, edits] = KINDS.map((kind) => rows.get(kind));
    if (nothing !== undefined && created !== undefined && edits !== undefined)
      rounds.push({ nothing, created, edited: edits });
  }
  const windows = Object.fromEntries(MEASURES.map(([name, title]) => [title, compared(rounds, name)]));
  const edits = { measured, connections: size, rounds: EDIT_ROUNDS, windows, withNone, beside };
  console.log(editsText(edits));
  keep("enforcement", EnforcementFigures, (kept) => ({ revocations: {}, ...kept, edits }));
}

/** The medians of the windows of each kind, and of the differences within a round. */
function compared(rounds: readonly Readonly<Record<Kind, Row>>[], name: keyof Row): Windows {
  const middle = (kind: Kind) => median(rounds.map((round) => round[kind][name]));
  const cost = (than: Kind) => difference(rounds.map((round) => round.edited[name] - round[than][name]));
  return {
    nothing: middle("nothing"),
    created: middle("created"),
    edited: middle("edited"),
    overCreated: cost("created"),
    overNothing: cost("nothing"),
  };
}

/** The median of the values and the interval that holds it in 95 of 100 resamples (percentile bootstrap). */
function difference(values: readonly number[]): Difference {
  const medians = Array.from({ length: 2_000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? Number.NaN)),
  );
  return { median: median(values), low: percentile(medians, 0.025), high: percentile(medians, 0.975) };
}

/** Edits one after the other, while nothing else happens. */
async function timeEdits(): Promise<EditsAlone> {
  const { id } = await server.createKey({ name: "edited alone" });
  await server.load();
  const times: number[] = [];
  for (let version = 1; version <= EDITS_ALONE; version += 1) times.push(await editOnce(id, version));
  const { cpuMs } = await server.load();
  return { p50Ms: median(times), p99Ms: percentile(times, 0.99), cpuMs: cpuMs / EDITS_ALONE };
}

async function editOnce(id: string, version: number): Promise<number> {
  const body = { metadata: { version } };
  const { status, sentMs, answeredMs } = await server.admin("PATCH", `/keys/${id}`, { body, version });
  if (status !== 200) throw new Error(`the edit was answered ${status}`);
  return answeredMs - sentMs;
}

/** They join without the presence right, since all hearing of all is not what is measured, and have it afterwards. */
async function crowdOf(group: string, size: number): Promise<{ id: string }> {
  const channels = [{ pattern: "**", actions: ["join", "publish"] }];
  const key = await server.createKey({ name: group, channels });
  await open(many, group, size, key.secret);
  await server.admin("PATCH", `/keys/${key.id}`, { body: { channels: null }, version: 1 });
  await delay(2_000);
  return key;
}

function open(crowd: Crowd, group: string, count: number, apiKey: string): Promise<number> {
  const localAddresses = ["127.0.0.1"];
  return crowd.open({ group, count, port: server.port, apiKey, channels: CHANNELS, localAddresses });
}
