import { type Static, Type } from "typebox";
import { describe, Provenance } from "./kept.ts";
import { partOf } from "./part.ts";
import { table } from "./table.ts";

const Times = Type.Object({ medianMs: Type.Number(), slowestMs: Type.Optional(Type.Number()) });
export const ConsoleFigures = Type.Object({
  measured: Provenance,
  loads: Type.Number(),
  keys: Type.Number(),
  load: Times,
  search: Times,
  /** Of the first load, compressed. */
  scriptBytes: Type.Number(),
});
export type ConsoleFigures = Static<typeof ConsoleFigures>;

export function consoleText({ measured, loads, keys, load, search, scriptBytes }: ConsoleFigures): string {
  const whole = (ms: number | undefined) => (ms === undefined ? "" : Math.round(ms).toLocaleString("en"));
  const row = (what: string, times: Static<typeof Times>) => [
    what,
    whole(times.medianMs),
    whole(times.slowestMs),
  ];
  const timesTable = table(
    [
      { title: `${loads} loads, ${keys.toLocaleString("en")} keys` },
      { title: "median ms", isFigure: true },
      { title: "slowest ms", isFigure: true },
    ],
    [row("until the list is there", load), row("a search, with 150 ms of waiting for the typist", search)],
  );
  const size = `The first load is ${(scriptBytes / 1_000).toFixed(0)} kB of JavaScript (gzip).`;
  return `${timesTable}\n\n${size} Measured on ${describe(measured)}.`;
}

export const consolePart = partOf("console", "npm run bench:console -- --write", ConsoleFigures, consoleText);
