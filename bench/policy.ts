/**
 * Decisions per second and bytes allocated per decision, against what one would write without an engine. Every
 * request has strings of its own, made from bytes as a server makes them, so that no look-up profits from a
 * hash that V8 keeps in a string object. Run with `npm run bench:policy`.
 */
import { BlockList, isIPv6 } from "node:net";
import { cpus } from "node:os";
import { PerformanceObserver, performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import ipaddr from "ipaddr.js";
import { type AccessRequest, compilePolicy, decide } from "../src/policy/index.ts";

setFlagsFromString("--expose-gc");
setFlagsFromString("--semi-space-growth-factor=2");
const collect: unknown = runInNewContext("gc");

const BATCH = 20_000;
const ROUNDS = 60;
const WARM_UP_ROUNDS = 15;
const now = Date.UTC(2026, 10, 23);

type Subject = { readonly name: string; readonly decide: (request: AccessRequest) => boolean };
type Scenario = {
  readonly name: string;
  readonly subjects: readonly Subject[];
  readonly request: (index: number) => AccessRequest;
};
type Figure = { readonly perSecond: number; readonly bytes: number };

/** A string of its own, as a parser makes one from received bytes. */
function fresh(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Deterministic numbers, so that every subject sees the same requests. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function originLists(count: number): { rules: string[]; origins: string[] } {
  const rules: string[] = [];
  const origins: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const wildcard = i % 3 === 1;
    rules.push(wildcard ? `https://*.tenant-${i}.example` : `https://app.customer-${i}.example`);
    origins.push(wildcard ? `https://web.tenant-${i}.example` : `https://app.customer-${i}.example`);
  }
  return { rules, origins };
}

function addressLists(count: number): { rules: string[]; addresses: string[] } {
  const rules: string[] = [];
  const addresses: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const high = (i >> 8) & 255;
    const low = i & 255;
    if (i % 3 === 2) {
      rules.push(`2001:db8:${(i * 2).toString(16)}::/48`);
      addresses.push(`2001:db8:${(i * 2).toString(16)}:7::${low.toString(16)}`);
    } else {
      rules.push(`${11 + (i % 2)}.${high}.${low}.128/26`);
      addresses.push(`${11 + (i % 2)}.${high}.${low}.131`);
    }
  }
  return { rules, addresses };
}

function scenario(name: string, size: number, withChannels: boolean): Scenario {
  const { rules: domains, origins } = originLists(size);
  const { rules: cidrs, addresses } = addressLists(size);
  const channels = Array.from({ length: 20 }, (_, i) => ({
    pattern: i % 2 === 0 ? `room-${i}:*` : `team:*:topic-${i}:**`,
    actions: ["join", "publish"],
  }));
  const policy = compilePolicy({
    name,
    allowRealtime: true,
    expiresAt: "2027-01-31T00:00:00Z",
    domains: { mode: "specified", list: domains },
    ips: { mode: "specified", list: cidrs },
    ...(withChannels ? { channels } : {}),
  });
  const random = randomNumbers(7);
  const pick = (list: readonly string[]) => fresh(list[Math.floor(random() * list.length)] ?? "");
  return {
    name,
    subjects: [
      { name: "sluice", decide: (request) => decide(policy, request, now).allowed },
      ...(withChannels ? [] : rivals(domains, cidrs, size)),
    ],
    request: (index) => ({
      action: withChannels ? "join" : "connect",
      origin: pick(origins),
      ip: pick(addresses),
      ...(withChannels
        ? { channel: fresh(index % 2 === 0 ? `room-4:${index}` : `team:${index}:topic-7:x`) }
        : {}),
    }),
  };
}

/** The obvious code: a list of regular expressions for origins, and two ways for addresses. */
function rivals(domains: readonly string[], cidrs: readonly string[], size: number): Subject[] {
  const expressions = domains.map(
    (rule) => new RegExp(`^${rule.replaceAll(/[.+?^$()|[\]\\]/g, "\\$&").replace("*", "[^.]+")}$`),
  );
  const isOrigin = (origin: string | undefined) =>
    origin !== undefined && expressions.some((expression) => expression.test(origin));
  const blockList = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", prefix = ""] = cidr.split("/");
    blockList.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
  }
  const parsed = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  const inBlockList = (ip: string | null) => ip !== null && blockList.check(ip, isIPv6(ip) ? "ipv6" : "ipv4");
  const inParsed = (ip: string | null) => {
    if (ip === null) return false;
    const address = ipaddr.process(ip);
    return parsed.some((cidr) => address.kind() === cidr[0].kind() && address.match(cidr));
  };
  const label = size > 100 ? " (slow: fewer rounds)" : "";
  return [
    { name: `RegExp + net.BlockList${label}`, decide: (r) => isOrigin(r.origin) && inBlockList(r.ip) },
    { name: `RegExp + ipaddr.js${label}`, decide: (r) => isOrigin(r.origin) && inParsed(r.ip) },
    { name: `addresses only, net.BlockList${label}`, decide: (r) => inBlockList(r.ip) },
    { name: `addresses only, ipaddr.js${label}`, decide: (r) => inParsed(r.ip) },
    { name: `origins only, RegExp${label}`, decide: (r) => isOrigin(r.origin) },
  ];
}

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

function garbageCollect(): void {
  if (typeof collect === "function") collect();
}

/** Best and typical rounds differ by what else the machine does; the median is reported. */
function measure(subject: Subject, chosen: Scenario): Figure {
  const isSlow = subject.name.includes("slow");
  const batch = isSlow ? 200 : BATCH;
  const rounds = isSlow ? 5 : ROUNDS;
  const warmUp = isSlow ? 2 : WARM_UP_ROUNDS;
  const times: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const requests = Array.from({ length: batch }, (_, index) => chosen.request(index));
    garbageCollect();
    const heapBefore = process.memoryUsage().heapUsed;
    const start = performance.now();
    let allowed = 0;
    for (const request of requests) if (subject.decide(request)) allowed += 1;
    const elapsedMs = performance.now() - start;
    const heapAfter = process.memoryUsage().heapUsed;
    if (allowed !== batch) throw new Error(`${subject.name}: ${allowed} of ${batch} allowed`);
    if (round < warmUp) continue;
    times.push(elapsedMs / batch);
    bytes.push((heapAfter - heapBefore) / batch);
  }
  return { perSecond: 1000 / median(times), bytes: median(bytes) };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

write(`Node ${process.version}, ${cpus()[0]?.model.trim() ?? "unknown processor"}, one core.\n`);
write("| key | decided by | decisions/s | bytes/decision |");
write("| --- | --- | ---: | ---: |");
for (const chosen of [
  scenario("realtime, 3 origins, 3 CIDRs", 3, false),
  scenario("the same, 20 channel rules, join", 3, true),
  scenario("10 origins, 10 CIDRs", 10, false),
  scenario("10,000 origins, 10,000 CIDRs", 10_000, false),
]) {
  for (const subject of chosen.subjects) {
    const figure = measure(subject, chosen);
    const perSecond = Math.round(figure.perSecond).toLocaleString("en");
    write(`| ${chosen.name} | ${subject.name} | ${perSecond} | ${figure.bytes.toFixed(1)} |`);
  }
}
void collections;
