/**
 * Calls of endpoints against named peers: the server on core 0, wrk on core 1, Sluice and a peer in pairs. Fastify is
 * told to give the same bodies and the same headers that Sluice gave. Run: npm run bench:http -- [rounds] [case …]
 * (`PEERS=fastify`, `SECONDS=2` for less; `--write` keeps the figures; `NODE_FLAGS=--cpu-prof` profiles)
 */
import { CASES, HTTP_PEERS, type HttpCase, type HttpPeer, isHttpPeer } from "./http/cases.ts";
import { type HttpMeasured, measureHttp, wrkFile } from "./http/load.ts";
import { answersOf, type HttpServer, startHttpPeer, startSluice } from "./http/server.ts";
import { inPairs } from "./pairs.ts";
import { Comparisons, compare } from "./report/comparison.ts";
import { HTTP_COLUMNS, httpKey, httpRow, peersOfCase } from "./report/http.ts";
import { describe, provenance } from "./report/kept.ts";
import { tableHead, tableRow } from "./report/table.ts";
import { keep } from "./results.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 3);

const args = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const rounds = Number(args[0] ?? 5);
if (!(rounds >= 1)) throw new Error(`"${args[0]}" is no number of rounds`);
const wanted = new Set(args.slice(1));
const unknown = [...wanted].filter((name) => !CASES.some((one) => one.name === name));
if (unknown.length > 0) throw new Error(`no case is called ${unknown.join(", ")}`);
const only = process.env["PEERS"]?.split(",").filter(isHttpPeer);
const missing = new Map<HttpPeer, string>();

const isThere = had(wrkFile);
if (isThere !== undefined) console.log(`Not measured: wrk cannot be had here (${isThere})`);
else for (const one of CASES) if (wanted.size === 0 || wanted.has(one.name)) await bench(one);
for (const [kind, why] of missing)
  console.log(`\nNot measured: ${HTTP_PEERS[kind]} cannot be had here (${why})`);

async function bench(one: HttpCase): Promise<void> {
  console.log(`\n### ${one.title}\n\n${describe(provenance())}\n\n${tableHead(HTTP_COLUMNS)}`);
  for (const kind of peersOfCase(one)) {
    if (missing.has(kind) || only?.includes(kind) === false) continue;
    const measured = provenance();
    const pairs = await measurePairs(kind, one);
    if (pairs === undefined) continue;
    const comparison = compare(measured, pairs, ({ requestsPerServerSecond, p50Ms, p99Ms }) => ({
      value: requestsPerServerSecond,
      p50Ms,
      p99Ms,
    }));
    console.log(tableRow(httpRow(one, kind, comparison)));
    keep("http", Comparisons, (kept) => ({ ...kept, [httpKey(one, kind)]: comparison }));
  }
}

/** Both live through all rounds, and only one is loaded at a time. */
async function measurePairs(kind: HttpPeer, one: HttpCase) {
  const own = await startSluice();
  try {
    const peer = await startedPeer(kind, own);
    if (peer === undefined) return undefined;
    try {
      const measure = (server: HttpServer, name: HttpPeer | "sluice") => (): Promise<HttpMeasured> =>
        measureHttp(server, one, SECONDS, name);
      return await inPairs(rounds, measure(own, "sluice"), measure(peer, kind));
    } finally {
      await peer.stop();
    }
  } finally {
    await own.stop();
  }
}

async function startedPeer(kind: HttpPeer, own: HttpServer): Promise<HttpServer | undefined> {
  try {
    return await startHttpPeer(kind, own.secret, await answersOf(own));
  } catch (error) {
    missing.set(kind, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
    return undefined;
  }
}

/** Why something cannot be had; undefined when it is there. */
function had(get: () => unknown): string | undefined {
  try {
    get();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}
