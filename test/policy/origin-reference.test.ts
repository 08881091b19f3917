import { expect } from "chai";
import fc from "fast-check";
import { compilePolicy, decide } from "../../src/policy/index.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "./runs.ts";

// A reference written from the design's grammar alone, as expressions and string comparison.

type Origin = { scheme: string; host: string; port: string };

const GRAMMAR =
  /^([a-z][a-z0-9+.-]{0,31}):\/\/([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:]{2,}\])(?::([1-9][0-9]{0,4}))?$/;
const DEFAULT_PORTS: Record<string, string> = { http: "80", https: "443" };

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function read(text: string): Origin | null {
  const match = GRAMMAR.exec(asciiLower(text));
  if (match === null || text.length > 300) return null;
  const [, scheme = "", host = "", port = ""] = match;
  if (host.length > 253 || Number(port) > 65535) return null;
  return { scheme, host, port: port === DEFAULT_PORTS[scheme] ? "" : port };
}

/** A rule of the canonical forms that settings keep: `scheme://[*.]host[:port|:*]`. */
function covers(rule: string, origin: Origin): boolean {
  const anyPort = rule.endsWith(":*");
  const wildcard = rule.includes("://*.");
  const wanted = read(rule.replace("://*.", "://").replace(/:\*$/, ""));
  if (wanted === null) throw new Error(`${rule} is no canonical rule`);
  if (wanted.scheme !== origin.scheme || (!anyPort && wanted.port !== origin.port)) return false;
  if (!wildcard) return wanted.host === origin.host;
  const [label, ...rest] = origin.host.split(".");
  return label !== "" && rest.join(".") === wanted.host;
}

const label = fc.constantFrom("a", "b", "www", "xn--bcher-kva", "a-b", "_x", "1", "a".repeat(63));
const base = fc.constantFrom(
  "example.com",
  "example.org",
  "b.example.com",
  "localhost",
  "com",
  "evilexample.com",
);
const name = fc.oneof(
  base,
  fc.tuple(label, base).map((parts) => parts.join(".")),
  fc.tuple(label, label, base).map((parts) => parts.join(".")),
  fc.constantFrom("127.0.0.1", "192.168.0.1", "[::1]", "[2001:db8::1]", "[2001:DB8::1]", "a.".repeat(126)),
);
const scheme = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("http", "https") },
  fc.constantFrom("capacitor", "HTTPS", "chrome-extension", "Http", "ws", "app"),
);
const port = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.constantFrom(":80", ":443", ":8443", ":3000", ":0", ":080", ":65535", ":65536", ":", ":*", ":443x"),
);
const wellFormed = fc.tuple(scheme, name, port).map(([s, n, p]) => `${s}://${n}${p}`);
const casing = fc.tuple(wellFormed, fc.boolean()).map(([text, up]) => (up ? text.toUpperCase() : text));
const edit = fc.record({
  at: fc.nat(40),
  take: fc.nat(2),
  put: fc.constantFrom(..."./:@?#\\%*,[]aA1-_ \n\u0000\u017f\u212a\u00e9", "//", "..", ":80", ".com", ""),
});
const damaged = fc.tuple(casing, fc.array(edit, { minLength: 1, maxLength: 2 })).map(([text, edits]) =>
  edits.reduce((so, { at, take, put }) => {
    const place = at % (so.length + 1);
    return so.slice(0, place) + put + so.slice(place + take);
  }, text),
);
const origin = fc.oneof({ weight: 4, arbitrary: casing }, damaged);

const isLoopback = (host: string) => /^(.+\.)?localhost$|^127\.|^\[::1\]$/.test(host);
const rule = fc
  .record({
    scheme: fc.constantFrom("http", "https", "http", "https", "capacitor"),
    name,
    port: fc.constantFrom("", "", ":8443", ":3000", ":443", ":80", ":*"),
    wildcard: fc.boolean(),
  })
  .filter((one) => !one.name.endsWith("."))
  .map((one) => {
    const isWeb = one.scheme !== "capacitor";
    const isName = !/^\[|^[0-9.]+$/.test(one.name);
    const wildcard = one.wildcard && isWeb && isName && one.name !== "com" ? "*." : "";
    const portText = one.port === ":*" && !(isLoopback(asciiLower(one.name)) && isWeb) ? "" : one.port;
    return `${one.scheme}://${wildcard}${one.name}${portText}`;
  });
const rules = fc.array(rule, { minLength: 1, maxLength: 5 });

/** Four origins of their own or near a rule of the list. */
const near = fc.tuple(origin, fc.nat(7), port, label);
const listAndOrigins = fc
  .tuple(rules, fc.array(near, { minLength: 4, maxLength: 4 }))
  .map(([list, some]) => ({
    list,
    origins: some.map(([text, which, suffix, left]) => {
      const own = list[which]?.replace("*.", `${left}.`).replace(":*", "") ?? text;
      return own === text || /:[0-9]+$/.test(own) ? own : own + suffix;
    }),
  }));

describe("origins against a reference of the grammar", function () {
  this.timeout(PROPERTY_TIMEOUT_MS);

  it("decides as the reference does", () => {
    let allowed = 0;
    fc.assert(
      fc.property(listAndOrigins, ({ list, origins }) => {
        const settings = { name: "one", allowRealtime: true, domains: { mode: "specified", list } };
        const policy = compilePolicy(settings);
        for (const text of origins) {
          const given = read(text);
          const expected = given !== null && policy.settings.domains.list.some((one) => covers(one, given));
          const decision = decide(policy, { action: "connect", ip: null, origin: text }, 0);
          if (decision.allowed !== expected) expect.fail(`${JSON.stringify(text)}: ${decision.allowed}`);
          if (expected) allowed += 1;
        }
      }),
      { numRuns: RUNS / 4 },
    );
    expect(allowed).to.be.greaterThan(RUNS / 10);
  });

  it("lets every rule's own origin pass, and no other that differs in one character", () => {
    const character = fc.constantFrom(..."abxyz019-_.:/@");
    fc.assert(
      fc.property(rule, fc.nat(60), character, (text, at, put) => {
        const settings = { name: "one", allowRealtime: true, domains: { mode: "specified", list: [text] } };
        const policy = compilePolicy(settings);
        const [kept = ""] = policy.settings.domains.list;
        const own = kept.replace("*.", "any.").replace(":*", ":1234");
        const passes = (candidate: string) =>
          decide(policy, { action: "connect", ip: null, origin: candidate }, 0).allowed;
        expect(passes(own)).to.equal(true);
        const place = at % own.length;
        const other = own.slice(0, place) + put + own.slice(place + 1);
        const given = read(other);
        expect(passes(other)).to.equal(given !== null && covers(kept, given));
      }),
      { numRuns: RUNS / 2 },
    );
  });
});
