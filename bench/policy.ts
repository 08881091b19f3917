/**
 * Decisions per second and bytes allocated per decision, against what one would write without an engine. Every
 * request has strings of its own, made from bytes as a server makes them, so that no look-up profits from a
 * hash that V8 keeps in a string object. Requests are made outside the measured time. Run:
 * npm run bench:policy (`-- --write` keeps the figures)
 */
import { BlockList, isIPv6 } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import ipaddr from "ipaddr.js";
import { type AccessRequest, compilePolicy, decide } from "../src/policy/index.ts";
import { median } from "./pairs.ts";
import { provenance } from "./report/kept.ts";
import { PolicyFigures, policyText, SUBJECTS, type Subject } from "./report/policy.ts";
import { keep } from "./results.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

const OWN: ReadonlySet<Subject> = new Set(["sluice", "originsSluice", "addressesSluice"]);
const now = Date.UTC(2026, 10, 23);

type Decide = (request: AccessRequest) => boolean;
type Scenario = {
  readonly name: string;
  readonly subjects: Partial<Readonly<Record<Subject, Decide>>>;
  readonly request: (index: number) => AccessRequest;
  /** Requests of one measured round, and rounds; the alternatives are slow with long lists. */
  readonly rivalBatch: number;
};
type Rules = { readonly list: readonly string[]; readonly matching: readonly string[] };

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

/** Two of three exact, one a wildcard; `matching` has an origin under each. */
function originRules(count: number): Rules {
  const indices = Array.from({ length: count }, (_, index) => index);
  return {
    list: indices.map((i) =>
      i % 3 === 1 ? `https://*.tenant-${i}.example` : `https://app.customer-${i}.example`,
    ),
    matching: indices.map((i) => `https://${i % 3 === 1 ? "web.tenant" : "app.customer"}-${i}.example`),
  };
}

/** Two of three IPv4, one IPv6, none touching another; `matching` has an address in each. */
function addressRules(count: number): Rules {
  const list: string[] = [];
  const matching: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const base = i % 3 === 2 ? `2001:db8:${(i * 2).toString(16)}:` : `${11 + (i % 2)}.${i >> 8}.${i & 255}`;
    list.push(i % 3 === 2 ? `${base}:/48` : `${base}.128/26`);
    matching.push(i % 3 === 2 ? `${base}7::${(i & 255).toString(16)}` : `${base}.131`);
  }
  return { list, matching };
}

function scenario(name: string, size: number): Scenario {
  const origins = originRules(size);
  const addresses = addressRules(size);
  const base = { name: "bench", allowRealtime: true, expiresAt: "2027-01-31T00:00:00Z" };
  const domains = { mode: "specified", list: origins.list };
  const ips = { mode: "specified", list: addresses.list };
  const whole = compilePolicy({ ...base, domains, ips });
  const onlyOrigins = compilePolicy({ ...base, domains });
  const onlyAddresses = compilePolicy({ ...base, ips });
  const isOrigin = regExpOrigins(origins.list);
  const inBlockList = blockListAddresses(addresses.list);
  const inParsed = ipaddrAddresses(addresses.list);
  const random = randomNumbers(7);
  const pick = (list: readonly string[]) => fresh(list[Math.floor(random() * list.length)] ?? "");
  return {
    name,
    subjects: {
      sluice: (request) => decide(whole, request, now).allowed,
      blockList: (r) => isOrigin(r.origin) && inBlockList(r.ip),
      ipaddr: (r) => isOrigin(r.origin) && inParsed(r.ip),
      originsSluice: (request) => decide(onlyOrigins, request, now).allowed,
      originsRegExp: (r) => isOrigin(r.origin),
      addressesSluice: (request) => decide(onlyAddresses, request, now).allowed,
      addressesBlockList: (r) => inBlockList(r.ip),
      addressesIpaddr: (r) => inParsed(r.ip),
    },
    request: () => ({ action: "connect", origin: pick(origins.matching), ip: pick(addresses.matching) }),
    rivalBatch: size > 100 ? 200 : 10_000,
  };
}

/** The same key with channel rules, asked to join. */
function channelScenario(name: string, rules: number): Scenario {
  const origins = originRules(3);
  const addresses = addressRules(3);
  const policy = compilePolicy({
    name: "bench",
    allowRealtime: true,
    domains: { mode: "specified", list: origins.list },
    ips: { mode: "specified", list: addresses.list },
    channels: Array.from({ length: rules }, (_, i) => ({
      pattern: i % 2 === 0 ? `room-${i}:*` : `team:*:topic-${i}:**`,
      actions: ["join", "publish"],
    })),
  });
  const random = randomNumbers(11);
  return {
    name,
    subjects: { sluice: (request) => decide(policy, request, now).allowed },
    request: (index) => {
      const rule = Math.floor(random() * rules);
      return {
        action: "join",
        origin: fresh(origins.matching[index % 3] ?? ""),
        ip: fresh(addresses.matching[index % 3] ?? ""),
        channel: fresh(rule % 2 === 0 ? `room-${rule}:${index}` : `team:${index}:topic-${rule}:x`),
      };
    },
    rivalBatch: 10_000,
  };
}

function regExpOrigins(rules: readonly string[]): (origin: string | undefined) => boolean {
  const expressions = rules.map(
    (rule) => new RegExp(`^${rule.replaceAll(/[.+?^$()|[\]\\]/g, "\\$&").replace("*", "[^.]+")}$`),
  );
  return (origin) => origin !== undefined && expressions.some((expression) => expression.test(origin));
}

function blockListAddresses(rules: readonly string[]): (ip: string | null) => boolean {
  const blockList = new BlockList();
  for (const rule of rules) {
    const [address = "", prefix = ""] = rule.split("/");
    blockList.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return (ip) => ip !== null && blockList.check(ip, isIPv6(ip) ? "ipv6" : "ipv4");
}

function ipaddrAddresses(rules: readonly string[]): (ip: string | null) => boolean {
  const parsed = rules.map((rule) => ipaddr.parseCIDR(rule));
  return (ip) => {
    if (ip === null) return false;
    const address = ipaddr.process(ip);
    return parsed.some((range) => address.kind() === range[0].kind() && address.match(range));
  };
}

/** The medians of many rounds, each with new requests and after a collection. */
function measure(
  subject: Subject,
  isAllowed: Decide,
  chosen: Scenario,
): { perSecond: number; bytes: number } {
  const batch = OWN.has(subject) ? 10_000 : chosen.rivalBatch;
  const isSlow = batch < 1000;
  const warmUpRounds = isSlow ? 3 : 30;
  const rounds = isSlow ? 9 : 100;
  const times: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round += 1) {
    const requests = Array.from({ length: batch }, (_, index) => chosen.request(index));
    if (typeof collect === "function") collect();
    let allowed = 0;
    const heapBefore = process.memoryUsage().heapUsed;
    const start = performance.now();
    for (const request of requests) if (isAllowed(request)) allowed += 1;
    const elapsedMs = performance.now() - start;
    const heapAfter = process.memoryUsage().heapUsed;
    if (allowed !== batch) throw new Error(`${subject}: ${allowed} of ${batch} allowed`);
    if (round < warmUpRounds) continue;
    times.push(elapsedMs / batch);
    bytes.push((heapAfter - heapBefore) / batch);
  }
  return { perSecond: 1000 / median(times), bytes: median(bytes) };
}

const measured = provenance();
const keys: PolicyFigures["keys"] = {};
for (const chosen of [
  scenario("3 origins, 3 CIDRs", 3),
  scenario("10 origins, 10 CIDRs", 10),
  scenario("10,000 origins, 10,000 CIDRs", 10_000),
  channelScenario("join, 10 channel rules", 10),
  channelScenario("join, 1,000 channel rules", 1000),
]) {
  const entries = Object.keys(SUBJECTS)
    .filter(isSubject)
    .flatMap((subject) => {
      const isAllowed = chosen.subjects[subject];
      return isAllowed === undefined ? [] : [[subject, measure(subject, isAllowed, chosen)] as const];
    });
  keys[chosen.name] = Object.fromEntries(entries);
}
const figures: PolicyFigures = { measured, keys };
console.log(policyText(figures));
keep("policy", PolicyFigures, () => figures);

function isSubject(name: string): name is Subject {
  return Object.hasOwn(SUBJECTS, name);
}
