/**
 * Fan-out against plain Socket.IO's room emit, on the same work: ~100-byte messages over WebSocket to members that
 * count them. The servers run interleaved, one at a time, on core 0; the load client on core 1. Deliveries
 * per second of the server's processor time. Run: node --import tsx bench/fanout.ts [rounds] [scenario …]
 *
 * The load client is ../shared/perf/wsload.cpp; without it (or g++, or taskset) nothing is measured.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { IMPORTED_KEY } from "./fanout/key.ts";

type Kind = "sluice" | "socket.io";
type Scenario = { name: string; members: number; inFlight: number; rooms: number; target: number };

const Result = Compile(
  Type.Object({
    del_s: Type.Number(),
    del_per_cpu_s: Type.Number(),
    srv_cpu: Type.Number(),
    p50_us: Type.Number(),
    p99_us: Type.Number(),
    closed: Type.Number(),
    resync: Type.Number(),
  }),
);
type Measured = ReturnType<typeof Result.Parse>;

const SCENARIOS: readonly Scenario[] = [
  { name: "1000-w32", members: 1_000, inFlight: 32, rooms: 1, target: 25 },
  { name: "5000-w32", members: 5_000, inFlight: 32, rooms: 1, target: 20 },
  { name: "2000x5-w64", members: 2_000, inFlight: 64, rooms: 50, target: 6 },
  { name: "1000-w1", members: 1_000, inFlight: 1, rooms: 1, target: 1.1 },
];
const SECONDS = 3;
const SOURCE = fileURLToPath(new URL("../../shared/perf/wsload.cpp", import.meta.url));
const SERVER = fileURLToPath(new URL("./fanout/server-process.ts", import.meta.url));

function buildLoadClient(): string | undefined {
  const given = process.env["WSLOAD"];
  if (given !== undefined) return given;
  if (!existsSync(SOURCE)) return undefined;
  const binary = join(mkdtempSync(join(tmpdir(), "sluice-bench-")), "wsload");
  try {
    execFileSync("g++", ["-O2", "-std=c++17", SOURCE, "-o", binary]);
    return binary;
  } catch {
    return undefined;
  }
}

async function measure(loadClient: string, kind: Kind, scenario: Scenario): Promise<Measured> {
  const server = spawn(
    "taskset",
    ["-c", "0", process.execPath, "--import", "tsx", SERVER, kind, String(scenario.rooms)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  try {
    return await load(loadClient, server, kind, scenario);
  } finally {
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
  }
}

async function load(
  loadClient: string,
  server: ChildProcess,
  kind: Kind,
  scenario: Scenario,
): Promise<Measured> {
  if (server.stdout === null || server.pid === undefined) throw new Error("the server did not start");
  const [line]: unknown[] = await once(createInterface(server.stdout), "line");
  const connect = [`S:40{"apiKey":"${IMPORTED_KEY}"}`, kind === "sluice" ? "W:connection:ready" : "W:40{"];
  const subscriber = ["W:0{", ...connect, 'S:420["join",{"channel":"spread"}]', "W:430"];
  const publisher = ["W:0{", ...connect];
  const { members, inFlight, rooms } = scenario;
  const args = [
    ["-c", "1", loadClient, "--port", String(line), "-n", String(members), "-w", String(inFlight)],
    ["-d", String(SECONDS), "--warm", "1", "--spin", "--eio", "--pid", String(server.pid), "-c", "50"],
    ["--path", "/realtime/?EIO=4&transport=websocket"],
    rooms > 1 ? ["--fan", String((members * 5) / rooms)] : [],
    subscriber.flatMap((step) => ["--ss", step]),
    publisher.flatMap((step) => ["--ps", step]),
    ["--pre", '42["message",{"channel":"spread","eventName":"m","message":', "--post", "}]"],
  ].flat();
  const client = spawn("taskset", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  client.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code]: unknown[] = await once(client, "close");
  if (code !== 0) throw new Error(`the load client ended with ${code}: ${output}`);
  return Result.Parse(JSON.parse(output));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - (1 - (sorted.length % 2))], sorted[middle]];
  return (low + high) / 2;
}

const thousands = (value: number): string => `${Math.round(value / 1_000)}k`;

async function run(): Promise<void> {
  const loadClient = buildLoadClient();
  if (loadClient === undefined) {
    console.log(
      "skipped: ../shared/perf/wsload.cpp or g++ is not there, so there is nothing to measure with",
    );
    return;
  }
  const [roundsText = "5", ...names] = process.argv.slice(2);
  const scenarios = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
  const load = loadavg().map((value) => value.toFixed(1));
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load before ${load.join(" ")}\n`,
  );
  console.log(
    "Deliveries per second of server CPU, medians; `w`: publishes in flight (1 allows no batching).\n",
  );
  console.log(
    "| work | Sluice | Socket.IO | ratio: median (each pair) | target | p99 ms: Sluice, Socket.IO |",
  );
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const scenario of scenarios) {
    const pairs: { sluice: Measured; other: Measured }[] = [];
    for (let round = 0; round < Number(roundsText); round += 1) {
      const isFirst = round % 2 === 0;
      const early = await measure(loadClient, isFirst ? "sluice" : "socket.io", scenario);
      const late = await measure(loadClient, isFirst ? "socket.io" : "sluice", scenario);
      pairs.push(isFirst ? { sluice: early, other: late } : { sluice: late, other: early });
    }
    const ratios = pairs.map(({ sluice, other }) => sluice.del_per_cpu_s / other.del_per_cpu_s);
    const [own, theirs] = [pairs.map(({ sluice }) => sluice), pairs.map(({ other }) => other)];
    const p99 = [own, theirs].map((list) => (median(list.map(({ p99_us }) => p99_us)) / 1_000).toFixed(1));
    console.log(
      `| ${scenario.name} | ${thousands(median(own.map((one) => one.del_per_cpu_s)))} ` +
        `| ${thousands(median(theirs.map((one) => one.del_per_cpu_s)))} ` +
        `| ${median(ratios).toFixed(2)} (${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}) ` +
        `| ${scenario.target} | ${p99.join(", ")} |`,
    );
    const faults = [...own, ...theirs].filter(({ closed, resync }) => closed + resync > 0).length;
    if (faults > 0) console.log(`\n${scenario.name}: ${faults} runs lost connections or messages\n`);
  }
}

await run();
