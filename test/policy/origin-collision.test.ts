import { expect } from "chai";
import { type OriginKind, OriginSet } from "../../src/policy/origin.ts";
import { OriginScan } from "../../src/policy/origin-scan.ts";
import { PROPERTY_TIMEOUT_MS } from "./runs.ts";

/** Of 32-bit hashes, so many have about 470 pairs alike. */
const TRIES = 2_000_000;

type Find = (scan: OriginScan) => number;

/** Two keys of the same length with the same hash; hashes are seeded per process, so the keys are looked for. */
function collidingPair(originOf: (key: string) => string, find: Find): [string, string] {
  const scan = new OriginScan();
  const seen = new Map<number, string>();
  // Long and scattered: with some seeds no two of all short names have the same hash.
  for (let index = 0; index < TRIES; index += 1) {
    const key = `http://${scattered(index, 0x9e3779b1)}${scattered(index, 0x85ebca6b)}`;
    scan.run(originOf(key));
    const hash = find(scan);
    const other = seen.get(hash);
    if (other !== undefined) return [other, key];
    seen.set(hash, key);
  }
  return expect.fail(`no two of ${TRIES} origins have the same hash`);
}

function scattered(index: number, factor: number): string {
  const mixed = Math.imul(index ^ (index >>> 7), factor);
  return ((mixed ^ (mixed >>> 15)) >>> 0).toString(36).padStart(7, "0");
}

describe("origins with the same hash", () => {
  const whole = (key: string) => key;
  const below = (key: string) => key.replace("://", "://any.");
  // A port is mixed in last, so the pairs of hosts and of rests collide with it too.
  const kinds: [OriginKind, (key: string) => string][][] = [
    [
      ["exact", whole],
      ["anyPort", (key) => `${key}:81`],
    ],
    [
      ["subdomain", below],
      ["subdomainAnyPort", (key) => `${below(key)}:81`],
    ],
  ];

  it("are told apart by their text, in every spelling", function () {
    this.timeout(PROPERTY_TIMEOUT_MS);
    const hosts = collidingPair(whole, (scan) => scan.hostHash);
    const rests = collidingPair(below, (scan) => scan.restHostHash);
    const cases = [hosts, rests].flatMap(([one, other], index) =>
      (kinds[index] ?? []).map(([kind, originOf]) => ({ kind, originOf, one, other })),
    );
    expect(cases).to.have.length(4);
    for (const { kind, originOf, one, other } of cases) {
      const alone = new OriginSet([{ kind, key: one }]);
      const both = new OriginSet([one, other].map((key) => ({ kind, key })));
      for (const spell of [
        (text: string) => text,
        (text: string) => text.toUpperCase(),
        (text: string) => text.replace("http", "hTtP"),
        (text: string) => text.replace(/([a-z])([0-9]*)$/, (last) => last.toUpperCase()),
        (text: string) => (/:81$/.test(text) ? text : `${text}:80`),
      ]) {
        expect(alone.has(spell(originOf(one)))).to.equal(true);
        expect(alone.has(spell(originOf(other)))).to.equal(false);
        expect(both.has(spell(originOf(one))) && both.has(spell(originOf(other)))).to.equal(true);
      }
    }
  });
});
