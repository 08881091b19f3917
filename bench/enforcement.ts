/**
 * How fast a change of a key reaches its open connections, and what an edit of one key costs the connections of
 * others. The server, the connections of the key and the 200 of another key that measure are processes of their own;
 * the store is LMDB. Run: npm run bench:enforcement (`CONNECTIONS=1000,5000` and `ROUNDS=1` for less)
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { nowMs, percentile } from "./crowd/child.ts";
import { Crowd } from "./crowd/crowd.ts";
import { ServerProcess } from "./crowd/server.ts";

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

type Row = Readonly<Record<string, number>>;
type Kind = "nothing" | "created" | "edited";
type Edits = { readonly times: readonly number[]; readonly cpuMs: number };

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const server = await new ServerProcess().start(`lmdb:${join(folder, "data")}`);
const bystander = await server.createKey({ name: "bystander" });
const [many, few] = [new Crowd(), new Crowd()];
try {
  const [model, load] = [cpus()[0]?.model.trim() ?? "unknown processor", loadavg()[0]?.toFixed(1)];
  write(`Node ${process.version}, ${model}, ${availableParallelism()} cores, load ${load} at the start.\n`);
  // The first ones compile the program's paths.
  await timeEdits();
  const editsAlone = await timeEdits();
  await open(few, "bystanders", BYSTANDERS, bystander.secret);
  await few.flow("bystanders", FLOW_EVERY_MS);
  if (ROUNDS > 0) await benchRevocations();
  await benchEdits(editsAlone);
} finally {
  await Promise.all([many.stop(), few.stop(), server.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

/** Delete a key that has many connections. */
async function benchRevocations(): Promise<void> {
  write(
    `Revoke a key with its connections in ${CHANNELS.length} channels; medians of ${ROUNDS} rounds, worst in brackets.\n`,
  );
  write(
    "| connections | API call ms | last told ms | last gone ms | server CPU ms | delivered after the answer | others' p50 / p99 ms |",
  );
  write("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const size of SIZES) {
    const rows: Row[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rows.push(await revoke(`${size} ${round}`, size));
    const show = (name: string, digits = 0) => {
      const values = rows.map((row) => row[name] ?? Number.NaN);
      return `${percentile(values, 0.5).toFixed(digits)} (${Math.max(...values).toFixed(digits)})`;
    };
    const delivered = rows.reduce((sum, row) => sum + (row["delivered"] ?? 0), 0);
    write(
      `| ${size.toLocaleString("en")} | ${show("call")} | ${show("told")} | ${show("gone")} | ${show("cpu")} | ${delivered} | ${show("p50", 1)} / ${show("p99", 1)} |`,
    );
  }
  write("");
}

async function revoke(group: string, size: number): Promise<Row> {
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
    call: answeredMs - sentMs,
    told: Number(seen.lastToldMs) - answeredMs,
    gone: Number(seen.lastGoneMs) - answeredMs,
    cpu: cpuMs,
    delivered: seen.markers + Number(Number(seen.latestSentMs) > answeredMs),
    p50: others.latency.p50,
    p99: others.latency.p99,
  };
}

/**
 * Edits of a key that nobody uses, while many connections of another are open: rounds of three windows, in turning
 * order, with nothing, with keys created and with edits. Creating a key is the same request, the same durable write and
 * the same audit entry, but touches no key that exists: what edits cost beyond it is what deciding again costs.
 */
async function benchEdits(alone: Edits): Promise<void> {
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
    const { p50: loopP50, p99: loopP99, cpuMs } = await server.load();
    // What was sent at the window's end is on its way.
    await delay(200);
    const { latency } = await few.report("bystanders", fromMs, untilMs);
    await few.reset("bystanders");
    return { p50: latency.p50, p99: latency.p99, loopP50, loopP99, cpu: cpuMs };
  };
  const rounds: Record<Kind, Row>[] = [];
  for (const kind of KINDS) await windowOf(kind);
  for (let n = 0; n < EDIT_ROUNDS; n += 1) {
    const rows = new Map<Kind, Row>();
    for (let turn = 0; turn < KINDS.length; turn += 1) {
      const kind = KINDS[(n + turn) % KINDS.length] ?? "nothing";
      rows.set(kind, await windowOf(kind));
    }
    const of = (kind: Kind) => rows.get(kind) ?? {};
    rounds.push({ nothing: of("nothing"), created: of("created"), edited: of("edited") });
  }
  write(
    `Edit another key ${1_000 / EDIT_EVERY_MS} times a second beside ${size.toLocaleString("en")} connections; medians of ` +
      `${EDIT_ROUNDS} rounds of ${WINDOW_MS / 1_000}-second windows, differences within a round with the 95 % interval of their median.\n`,
  );
  write("| of the connections | nothing | keys created | edits | edits − created | edits − nothing |");
  write("| --- | ---: | ---: | ---: | ---: | ---: |");
  const names: [string, string][] = [
    ["p50", "message latency p50 ms"],
    ["p99", "message latency p99 ms"],
    ["loopP50", "event-loop delay p50 ms"],
    ["loopP99", "event-loop delay p99 ms"],
    ["cpu", `server CPU ms in ${WINDOW_MS / 1_000} s`],
  ];
  for (const [name, title] of names) {
    const of = (row: Row) => row[name] ?? Number.NaN;
    const middle = (kind: Kind) =>
      percentile(
        rounds.map((round) => of(round[kind])),
        0.5,
      ).toFixed(2);
    const cost = (than: Kind) => spread(rounds.map((round) => of(round.edited) - of(round[than])));
    write(
      `| ${title} | ${middle("nothing")} | ${middle("created")} | ${middle("edited")} | ${cost("created")} | ${cost("nothing")} |`,
    );
  }
  const line = ({ times, cpuMs }: Edits) =>
    `${percentile(times, 0.5).toFixed(1)} / ${percentile(times, 0.99).toFixed(1)} | ${cpuMs.toFixed(2)}`;
  write("");
  write(`| ${EDITS_ALONE} edits of a key beside | API call p50 / p99 ms | server CPU ms per edit |`);
  write("| --- | ---: | ---: |");
  write(`| no connection | ${line(alone)} |`);
  write(`| ${size.toLocaleString("en")} connections of another key | ${line(beside)} |`);
}

/** The median of the values and the interval that holds it in 95 of 100 resamples (percentile bootstrap). */
function spread(values: readonly number[]): string {
  const medians = Array.from({ length: 2_000 }, () =>
    percentile(
      values.map(() => values[Math.floor(Math.random() * values.length)] ?? Number.NaN),
      0.5,
    ),
  );
  const [low, high] = [percentile(medians, 0.025), percentile(medians, 0.975)];
  return `${percentile(values, 0.5).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Edits one after the other, while nothing else happens. */
async function timeEdits(): Promise<Edits> {
  const { id } = await server.createKey({ name: "edited alone" });
  await server.load();
  const times: number[] = [];
  for (let version = 1; version <= EDITS_ALONE; version += 1) times.push(await editOnce(id, version));
  const { cpuMs } = await server.load();
  return { times, cpuMs: cpuMs / EDITS_ALONE };
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

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
