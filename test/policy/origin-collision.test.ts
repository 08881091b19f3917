import { expect } from "chai";
import { type OriginKind, OriginSet } from "../../src/policy/origin.ts";
import { OriginScan } from "../../src/policy/origin-scan.ts";

type Find = (scan: OriginScan) => number;

/** Two keys of the same length with the same hash; hashes are seeded per process, so the keys are looked for. */
function collidingPair(originOf: (key: string) => string, find: Find): [string, string] {
  const scan = new OriginScan();
  const seen = new Map<number, string>();
  for (let index = 0; index < 36 ** 4; index += 1) {
    const key = `https://${index.toString(36).padStart(4, "0")}.example`;
    scan.run(originOf(key));
    const hash = find(scan);
    const other = seen.get(hash);
    if (other !== undefined) return [other, key];
    seen.set(hash, key);
  }
  return expect.fail("no two of 1,679,616 origins have the same hash");
}

describe("origins with the same hash", () => {
  const whole = (key: string) => key;
  const below = (key: string) => key.replace("://", "://any.");
  const kinds: [OriginKind, (key: string) => string, Find][] = [
    ["exact", whole, (scan) => scan.originHash],
    ["anyPort", (key) => `${key}:81`, (scan) => scan.hostHash],
    ["subdomain", below, (scan) => scan.restHash],
    ["subdomainAnyPort", (key) => `${below(key)}:81`, (scan) => scan.restHostHash],
  ];

  it("are told apart by their text, in every spelling", function () {
    this.timeout(60_000);
    for (const [kind, originOf, find] of kinds) {
      const [one, other] = collidingPair(originOf, find);
      const alone = new OriginSet([{ kind, key: one }]);
      const both = new OriginSet([one, other].map((key) => ({ kind, key })));
      for (const spell of [
        (text: string) => text,
        (text: string) => text.toUpperCase(),
        (text: string) => text.replace("https", "HTTPS"),
        (text: string) => text.replace("example", "exampLe"),
        (text: string) => (/:81$/.test(text) ? text : `${text}:443`),
      ]) {
        expect(alone.has(spell(originOf(one)))).to.equal(true);
        expect(alone.has(spell(originOf(other)))).to.equal(false);
        expect(both.has(spell(originOf(one))) && both.has(spell(originOf(other)))).to.equal(true);
      }
    }
  });
});
