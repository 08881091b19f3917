import { isIPv4, isIPv6 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { clientAddress } from "../../src/policy/index.ts";
import { ipv4Text, ipv6Text, mappedText } from "./address-texts.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "./runs.ts";

// A model that tries to be nothing but right: Node's own address checks, WHATWG URL for canonical text, bits as
// strings for ranges, and chains that are built from known hops instead of being read.

function canonical(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return null;
  const host = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host);
  if (mapped === null) return host;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function bits(address: string): string {
  if (address.includes(".")) {
    const octets = address.split(".").map((octet) => Number(octet).toString(2).padStart(8, "0"));
    return `4${octets.join("")}`;
  }
  const [left = "", right = ""] = address.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === "" ? [] : right.split(":");
  const zeros = address.includes("::") ? new Array<string>(8 - head.length - tail.length).fill("0") : [];
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  return `6${groups.map((group) => group.toString(2).padStart(16, "0")).join("")}`;
}

const PROXIES = ["10.0.0.0/8", "192.168.7.0/24", "2001:db8:f::/48", "203.0.113.9"];

function isTrusted(address: string): boolean {
  return PROXIES.some((range) => {
    const [base = "", prefix] = range.split("/");
    const length = prefix === undefined ? 128 : Number(prefix);
    return bits(address).slice(0, length + 1) === bits(base).slice(0, length + 1);
  });
}

type Hop = { text: string; address: string | null };

const address = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("10.0.0.1", "10.255.3.4", "192.168.7.200", "203.0.113.9") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("2001:db8:f::1", "2001:DB8:F:0:0::2", "::ffff:10.9.8.7", "::ffff:a01:203"),
  },
  { weight: 1, arbitrary: fc.constantFrom("192.168.8.1", "203.0.113.10", "2001:db8:e::1", "9.255.255.255") },
  { weight: 2, arbitrary: fc.oneof(ipv4Text, ipv6Text, mappedText) },
);
const port = fc.constantFrom("", "", ":1", ":443", ":65535");
const blank = fc.constantFrom("", "", " ", "\t", "  ");
const broken = fc.constantFrom(
  "",
  "unknown",
  "_hidden",
  "1.2.3",
  "10.0.0.1:99999",
  "[10.0.0.1]",
  "x",
  "[::1",
  "010.0.0.1",
);

const plainHop: fc.Arbitrary<Hop> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(address, port, fc.boolean()).map(plain) },
  { weight: 1, arbitrary: broken.map((text) => ({ text, address: null })) },
);

function plain([text, suffix, bracketed]: [string, string, boolean]): Hop {
  const known = canonical(text);
  if (!text.includes(":")) return { text: `${text}${suffix}`, address: known };
  return { text: bracketed || suffix !== "" ? `[${text}]${suffix}` : text, address: known };
}

const extra = fc.constantFrom("", ";proto=https", ';host="a,b;c"', ';by="_p\\"q"', ';ext="\\\\"', ";;x=1;");
const forwardedHop: fc.Arbitrary<Hop> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(address, port, fc.boolean(), extra, fc.boolean()).map(forwarded) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        "for=unknown",
        "for=_h",
        "proto=http",
        "for=[::1]",
        "for=1.2.3.4:80",
        "for",
        "",
        "for=1.2.3.4 ;a=b",
      )
      .map((text) => ({ text, address: null })),
  },
);

function forwarded([text, suffix, quoted, more, first]: [string, string, boolean, string, boolean]): Hop {
  const node = text.includes(":") ? `[${text}]${suffix}` : `${text}${suffix}`;
  const value = quoted || node.includes(":") ? `"${node}"` : node;
  const name = first ? "for" : "FOR";
  return { text: `${name}=${value}${more}`, address: canonical(text) };
}

/** From the right: a hop that cannot be read ends in nothing, a trusted one that has another left of it is passed. */
function expected(hops: readonly Hop[]): string | null {
  for (const [index, hop] of hops.toReversed().entries()) {
    if (hop.address === null) return null;
    if (!isTrusted(hop.address) || index === hops.length - 1) return hop.address;
  }
  return null;
}

function chain(hop: fc.Arbitrary<Hop>) {
  const spaced = fc
    .tuple(blank, hop, blank)
    .map(([before, one, after]) => ({ text: before + one.text + after, address: one.address }));
  return fc.array(spaced, { minLength: 1, maxLength: 6 });
}

/** One line, or several whose order is kept. */
function lines(hops: readonly Hop[], cut: number): string | string[] {
  const place = cut % hops.length;
  const join = (part: readonly Hop[]) => part.map((hop) => hop.text).join(",");
  return place === 0 ? join(hops) : [join(hops.slice(0, place)), join(hops.slice(place))];
}

describe("forwarded chains against a brute-force model", function () {
  this.timeout(PROPERTY_TIMEOUT_MS);

  for (const [header, hop] of [
    ["x-forwarded-for", plainHop],
    ["forwarded", forwardedHop],
  ] as const) {
    it(`walks ${header} as the model does`, () => {
      let found = 0;
      fc.assert(
        fc.property(chain(hop), fc.nat(), (hops, cut) => {
          const peer = { remoteAddress: "10.0.0.250", headers: { [header]: lines(hops, cut) } };
          const answer = clientAddress(peer, { proxies: PROXIES, header });
          expect(answer).to.equal(expected(hops));
          if (answer !== null) found += 1;
        }),
        { numRuns: RUNS },
      );
      expect(found).to.be.greaterThan(RUNS / 4);
    });

    it(`finds the same client in ${header} whatever stands left of it`, () => {
      const text = fc.oneof(
        fc.string({ unit: "binary-ascii", maxLength: 30 }),
        fc.string({ unit: fc.constantFrom(...'",;=\\for1.[]: \t'), maxLength: 30 }),
      );
      fc.assert(
        fc.property(text, chain(hop), (forged, hops) => {
          const client = hops.findLast((one) => one.address === null || !isTrusted(one.address));
          fc.pre(client !== undefined);
          const line = hops.map((one) => one.text).join(",");
          const ask = (value: string) =>
            clientAddress(
              { remoteAddress: "10.0.0.250", headers: { [header]: value } },
              { proxies: PROXIES, header },
            );
          expect(ask(`${forged},${line}`)).to.equal(ask(line));
        }),
        { numRuns: RUNS / 4 },
      );
    });
  }

  it("believes no header of a peer that is not trusted", () => {
    fc.assert(
      fc.property(address, chain(plainHop), (remoteAddress, hops) => {
        const own = canonical(remoteAddress);
        fc.pre(own !== null && !isTrusted(own) && !own.startsWith("127.") && own !== "::1");
        const peer = { remoteAddress, headers: { "x-forwarded-for": lines(hops, 0) } };
        expect(clientAddress(peer, { proxies: PROXIES })).to.equal(own);
      }),
      { numRuns: RUNS / 4 },
    );
  });
});
