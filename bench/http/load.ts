import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { debianFile } from "../peers/packages.ts";
import { endNow, spawnOn, within } from "../processes.ts";
import type { HttpCase, HttpPeer } from "./cases.ts";
import { type HttpServer, headersOf } from "./server.ts";

/** Connections that always have one request under way. */
const CONNECTIONS = 32;
const TICKS_PER_SECOND = 100;

export type HttpMeasured = {
  readonly requestsPerSecond: number;
  /** Per second of the server's processor time. */
  readonly requestsPerServerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const Report = Compile(
  Type.Object({
    requests: Type.Number(),
    seconds: Type.Number(),
    refused: Type.Number(),
    broken: Type.Number(),
    p50Us: Type.Number(),
    p99Us: Type.Number(),
  }),
);

/** wrk, from Debian's package. @throws when it cannot be had here */
export function wrkFile(): string {
  return debianFile(["wrk"], "usr/bin/wrk");
}

/** So many seconds of one kind of request, after one second that compiles the program's paths. */
export async function measureHttp(
  server: HttpServer,
  one: HttpCase,
  seconds: number,
  kind: HttpPeer | "sluice",
): Promise<HttpMeasured> {
  await load(server, one, 1, kind);
  const before = cpuSeconds(server.pid);
  const report = await load(server, one, seconds, kind);
  const used = cpuSeconds(server.pid) - before;
  return {
    requestsPerSecond: report.requests / report.seconds,
    requestsPerServerSecond: report.requests / used,
    p50Ms: report.p50Us / 1_000,
    p99Ms: report.p99Us / 1_000,
  };
}

async function load(server: HttpServer, one: HttpCase, seconds: number, kind: HttpPeer | "sluice") {
  const folder = mkdtempSync(join(tmpdir(), "sluice-wrk-"));
  const script = join(folder, "load.lua");
  writeFileSync(script, scriptOf(one, server.secret));
  // The bare Fastify gives an answer by its path alone.
  const path = kind === "fastify" && one.name === "refused" ? "/refused" : one.path;
  const url = `http://127.0.0.1:${server.port}${path}`;
  const args = ["-t", "1", "-c", String(CONNECTIONS), "-d", `${seconds}s`, "-s", script, url];
  const child = spawnOn(1, wrkFile(), args, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await within((seconds + 15) * 1_000, "the load", once(child, "close"));
    const line = text.split("\n").find((candidate) => candidate.startsWith("{"));
    const report = Report.Parse(JSON.parse(line ?? "null"));
    const expected = one.status >= 400 && kind !== "nginx" ? report.requests : 0;
    // Figures of other answers than those that were asked about would look like good ones.
    if (report.broken > 0 || Math.abs(report.refused - expected) > CONNECTIONS || report.requests === 0)
      throw new Error(`${kind} ${one.name}: ${line}`);
    return report;
  } finally {
    await endNow(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program of wrk: what is sent, and its report as one line of JSON. */
function scriptOf(one: HttpCase, secret: string): string {
  const text = (value: string) => JSON.stringify(value);
  const headers = Object.entries(headersOf(one, secret)).map(
    ([name, value]) => `wrk.headers[${text(name)}] = ${text(value)}`,
  );
  const body = one.body === undefined ? "" : `wrk.body = ${text(one.body)}`;
  return `wrk.method = ${text(one.method)}
${headers.join("\n")}
${body}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50Us":%.3f,"p99Us":%.3f}\\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`;
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
