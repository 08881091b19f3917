import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { isPeer } from "../../bench/peers/peer.ts";
import { Comparisons, compare, goalText, ratioText } from "../../bench/report/comparison.ts";
import { DOCUMENT, filesOf, PARTS, replacePart } from "../../bench/report/document.ts";
import { provenance, readKept } from "../../bench/report/kept.ts";
import { ratioChart } from "../../bench/report/ratio-chart.ts";
import { SCENARIOS } from "../../bench/scenarios.ts";
import { ROOT } from "../docs/documents.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

describe("the benchmarks' report", () => {
  for (const part of PARTS) {
    it(`of ${part.name} is what the kept figures give: npm run bench:report`, () => {
      for (const [path, text] of Object.entries(filesOf(part, read(DOCUMENT))))
        expect(read(path), path).to.equal(text);
    });
  }

  it("names the command of every part, which the package has", () => {
    const { scripts } = JSON.parse(read("package.json"));
    for (const { command } of PARTS) {
      expect(scripts).to.have.property(/^npm run (\S+)/.exec(command)?.[1] ?? "");
      expect(read(DOCUMENT)).to.include(`\`${command}\``);
    }
  });

  it("keeps no fan-out that nobody measures any more", () => {
    const known = SCENARIOS.flatMap(({ name, peers }) =>
      Object.keys(peers)
        .filter(isPeer)
        .map((kind) => `${name}/${kind}`),
    );
    expect(known).to.include.members(Object.keys(readKept("fanout", Comparisons) ?? {}));
  });

  it("writes one part and leaves the rest as it is", () => {
    const marked = (name: string, text: string) =>
      `<!-- figures of ${name}, by npm run bench:report -->${text}<!-- end of figures of ${name} -->`;
    const document = `# A\n${marked("one", "\n\nold $&\n\n")}\nby hand\n${marked("two", " kept ")}\n`;
    const written = replacePart(document, "one", "new $&");
    expect(written).to.equal(
      `# A\n${marked("one", "\n\nnew $&\n\n")}\nby hand\n${marked("two", " kept ")}\n`,
    );
    expect(replacePart(written, "one", "new $&")).to.equal(written);
    for (const wrong of [
      "",
      `${document}${marked("one", "")}`,
      document.replace("end of figures of one", ""),
    ])
      expect(() => replacePart(wrong, "one", "x")).to.throw(/each of these once/);
  });

  it("says when, where and of which sources figures are", () => {
    const { date, commit, node } = provenance();
    expect(date).to.match(/^\d{4}-\d\d-\d\d$/);
    expect(commit).to.match(/^([0-9a-f]{7,}\+?|unknown.?)$/);
    expect(`v${node}`).to.equal(process.version);
  });
});

describe("a comparison", () => {
  const measured = provenance();
  const pairs = [
    { own: 10, other: 5 },
    { own: 30, other: 10 },
    { own: 8, other: 8 },
  ];

  it("has the ratio of each pair, and the medians of both", () => {
    const comparison = compare(measured, pairs, (value) => ({ value, p99Ms: value / 2 }));
    expect(comparison).to.deep.equal({
      measured,
      ratios: [2, 3, 1],
      own: { value: 10, p99Ms: 5 },
      other: { value: 8, p99Ms: 4 },
    });
    expect(ratioText(comparison.ratios)).to.equal("2.00 (1.00 to 3.00)");
    expect(ratioText([26.54])).to.equal("26.5");
  });

  it("meets its goal by the median", () => {
    const comparison = compare(measured, pairs, (value) => ({ value }));
    expect(goalText({ atLeast: 2 }, comparison)).to.equal("at least 2: met");
    expect(goalText({ atLeast: 2.1 }, comparison)).to.equal("at least 2.1: missed");
    expect(goalText({ atMost: 2 }, comparison)).to.equal("at most 2: met");
    expect(goalText({ atMost: 1.9 }, comparison)).to.equal("at most 1.9: missed");
    expect(goalText(undefined, comparison)).to.equal("");
  });

  it("in an open loop wants all that was scheduled, and sooner than the peer", () => {
    const goal = { lowerP99: true } as const;
    const seen = (ownMs: number, otherMs: number, sustained: number) =>
      compare(measured, [{ own: ownMs, other: otherMs }], (p99Ms) => ({ value: 1, p99Ms, sustained }));
    expect(goalText(goal, seen(17, 58, 1))).to.equal("sustained, p99 below theirs: met");
    expect(goalText(goal, seen(58, 17, 1))).to.equal("sustained, p99 below theirs: missed");
    expect(goalText(goal, seen(17, 58, 0.9))).to.equal("sustained, p99 below theirs: missed");
    expect(
      goalText(
        goal,
        compare(measured, pairs, (value) => ({ value })),
      ),
    ).to.match(/missed$/);
  });
});

describe("the chart of ratios", () => {
  const { svg } = ratioChart({
    title: "Speed & <more>",
    groups: [
      {
        title: "much work",
        bars: [
          { name: "slow", ratios: [22, 26, 27] },
          { name: "fast", ratios: [0.5] },
        ],
      },
    ],
  });

  it("says all in words too, to those who do not see it", () => {
    expect(svg).to.match(/<svg [^>]*role="img" aria-labelledby="title description"/);
    expect(svg).to.include('<title id="title">Speed &amp; &lt;more&gt;</title>');
    expect(svg).to.match(
      /<desc id="description">.*much work: slow 26\.0 \(22\.0 to 27\.0\), fast 0\.50\.<\/desc>/,
    );
  });

  it("has colours for light and for dark, and brings nothing from elsewhere", () => {
    expect(svg).to.include("@media (prefers-color-scheme: dark)");
    expect(svg.replace("http://www.w3.org/2000/svg", "")).to.not.match(/https?:|url\(|@import|<script/);
  });

  it("has bars from 1, to the right for those that are slower and to the left for others", () => {
    const one = Number(/class="one" x1="([\d.]+)"/.exec(svg)?.[1]);
    const bars = [...svg.matchAll(/<rect class="(ahead|behind)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)];
    const [ahead, behind] = bars.map(([, kind, x, width]) => ({
      kind,
      from: Number(x),
      to: Number(x) + Number(width),
    }));
    expect(ahead).to.include({ kind: "ahead", from: one });
    expect(behind?.kind).to.equal("behind");
    expect(behind?.to).to.be.closeTo(one, 0.2);
  });

  it("stays within its frame whatever the ratios are", () => {
    for (const ratios of [[1], [0.2, 3], [1_000], [0.11]]) {
      const chart = ratioChart({ title: "t", groups: [{ title: "g", bars: [{ name: "n", ratios }] }] });
      const places = [...chart.svg.matchAll(/ x\d?="(-?[\d.]+|NaN)"/g)].map(([, x]) => Number(x));
      for (const x of places) expect(x).to.be.within(0, 760);
    }
  });
});
