import { median } from "../pairs.ts";
import { ratioText } from "./comparison.ts";

export type Bar = { readonly name: string; readonly ratios: readonly number[] };
export type RatioChart = {
  readonly title: string;
  readonly groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[];
};

const WIDTH = 760;
const PADDING = 20;
const NAMES_WIDTH = 170;
/** For the figure behind the longest bar. */
const FIGURES_WIDTH = 130;
const ROW = 22;
const BAR = 12;
const GROUP_HEAD = 34;
const HEAD = 54;
const AXIS = 26;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
/** Each colour has a contrast of at least 4.5 on its background, lines of at least 3. */
const STYLE = `
  .ground { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .tick { fill: #59636e; font-size: 12px; }
  .grid { stroke: #d8dee4; }
  .one { stroke: #59636e; stroke-width: 1.5; }
  .ahead { fill: #0969da; }
  .behind { fill: #bc4c00; }
  .casing { stroke: #ffffff; stroke-width: 5; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .tick { fill: #9198a1; }
    .grid { stroke: #2a313c; }
    .one { stroke: #9198a1; }
    .ahead { fill: #4493f8; }
    .behind { fill: #db6d28; }
    .casing { stroke: #0d1117; }
    .spread { stroke: #f0f6fc; }
  }`;

/**
 * Ratios as bars from 1 on a logarithmic axis, each with its least and its greatest. The summary says the same in
 * words, for those who do not see it.
 */
export function ratioChart({ title, groups }: RatioChart): {
  readonly svg: string;
  readonly summary: string;
} {
  const x = axisOf(groups.flatMap(({ bars }) => bars.flatMap(({ ratios }) => ratios)));
  const marks: string[] = [];
  let y = HEAD;
  for (const group of groups) {
    marks.push(textAt(PADDING, y + GROUP_HEAD - 12, group.title, "group"));
    y += GROUP_HEAD;
    marks.push(...x.ticks.map((tick) => gridLine(tick, x.at(tick), y - 4, y + group.bars.length * ROW + 2)));
    for (const bar of group.bars) {
      marks.push(...rowOf(bar, y, x.at));
      y += ROW;
    }
  }
  marks.push(...x.ticks.map((tick) => textAt(x.at(tick), y + 20, `${tick}×`, "tick", "middle")));
  const height = y + AXIS + 8;
  const said = groups.map(({ title: name, bars }) => {
    const figures = bars.map((bar) => `${bar.name} ${ratioText(bar.ratios)}`);
    return `${name}: ${figures.join(", ")}.`;
  });
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(`Above 1 Sluice is ahead. ${said.join(" ")}`)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    textAt(PADDING, 28, title, "title"),
    textAt(
      PADDING,
      48,
      "Above 1 Sluice is ahead; logarithmic; the lines are the least and the greatest of the pairs.",
      "tick",
    ),
    ...marks,
    "</svg>",
  ].join("\n");
  return { svg: `${svg}\n`, summary: `${title}; the figures are in the tables below` };
}

/** Round limits around all values and 1; `at` gives the place of a value. */
function axisOf(values: readonly number[]): {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
} {
  const [least, most] = [Math.min(1, ...values), Math.max(1, ...values)];
  const low = TICKS.findLast((tick) => tick <= least) ?? least;
  const high = TICKS.find((tick) => tick > low && tick >= most) ?? most;
  const [from, to] = [PADDING + NAMES_WIDTH, WIDTH - PADDING - FIGURES_WIDTH];
  const at = (value: number): number => {
    const share = Math.log(value / low) / Math.log(high / low);
    return Math.round((from + share * (to - from)) * 10) / 10;
  };
  return { at, ticks: TICKS.filter((tick) => tick >= low && tick <= high) };
}

function rowOf({ name, ratios }: Bar, y: number, at: (value: number) => number): string[] {
  const middle = median(ratios);
  const [least, most] = [at(Math.min(...ratios)), at(Math.max(...ratios))];
  const [from, to] = [Math.min(at(1), at(middle)), Math.max(at(1), at(middle))];
  const center = y + ROW / 2;
  const marks = [
    textAt(PADDING + 10, center + 4.5, name),
    `<rect class="${middle < 1 ? "behind" : "ahead"}" x="${from}" y="${center - BAR / 2}" width="${Math.max(1, Math.round((to - from) * 10) / 10)}" height="${BAR}"/>`,
  ];
  if (ratios.length > 1) {
    for (const kind of ["casing", "spread"])
      marks.push(`<line class="${kind}" x1="${least}" x2="${most}" y1="${center}" y2="${center}"/>`);
  }
  marks.push(textAt(Math.max(to, most) + 8, center + 4.5, ratioText(ratios)));
  return marks;
}

function gridLine(tick: number, x: number, from: number, to: number): string {
  return `<line class="${tick === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${from}" y2="${to}"/>`;
}

function textAt(x: number, y: number, text: string, kind = "", anchor = "start"): string {
  const attributes = [
    kind === "" ? "" : ` class="${kind}"`,
    anchor === "start" ? "" : ` text-anchor="${anchor}"`,
  ];
  return `<text x="${x}" y="${y}"${attributes.join("")}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
