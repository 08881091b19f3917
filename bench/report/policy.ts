import { type Static, Type } from "typebox";
import { describe, Provenance } from "./kept.ts";
import { partOf } from "./part.ts";
import { table } from "./table.ts";

const Decisions = Type.Object({ perSecond: Type.Number(), bytes: Type.Number() });
export const PolicyFigures = Type.Object({
  measured: Provenance,
  /** By the key that decides, then by what decides. */
  keys: Type.Record(Type.String(), Type.Record(Type.String(), Decisions)),
});
export type PolicyFigures = Static<typeof PolicyFigures>;

/** What decides by the whole of a key, and by its origins or its addresses alone. */
export const SUBJECTS = {
  sluice: "Sluice",
  blockList: "RegExp and net.BlockList",
  ipaddr: "RegExp and ipaddr.js",
  originsSluice: "Sluice",
  originsRegExp: "RegExp",
  addressesSluice: "Sluice",
  addressesBlockList: "net.BlockList",
  addressesIpaddr: "ipaddr.js",
} as const;
export type Subject = keyof typeof SUBJECTS;

const TABLES: readonly { readonly title: string; readonly subjects: readonly Subject[] }[] = [
  { title: "key", subjects: ["sluice", "blockList", "ipaddr"] },
  { title: "its origins alone", subjects: ["originsSluice", "originsRegExp"] },
  { title: "its addresses alone", subjects: ["addressesSluice", "addressesBlockList", "addressesIpaddr"] },
];

export function policyText({ measured, keys }: PolicyFigures): string {
  const tables = TABLES.map(({ title, subjects }) => {
    const columns = [{ title }, ...subjects.map((subject) => ({ title: SUBJECTS[subject], isFigure: true }))];
    const rows = Object.entries(keys)
      .filter(([, figures]) => subjects.some((subject) => figures[subject] !== undefined))
      .map(([key, figures]) => [key, ...subjects.map((subject) => text(figures[subject]))]);
    return table(columns, rows);
  });
  return [...tables, `Measured on ${describe(measured)}.`].join("\n\n");
}

function text(decisions: Static<typeof Decisions> | undefined): string {
  if (decisions === undefined) return "";
  const { perSecond, bytes } = decisions;
  const speed =
    perSecond >= 1e5
      ? `${(perSecond / 1e6).toFixed(2)} M/s`
      : `${Math.round(perSecond).toLocaleString("en")} /s`;
  return `${speed}, ${Math.round(Math.max(0, bytes)).toLocaleString("en")} B`;
}

export const policyPart = partOf("policy", "npm run bench:policy -- --write", PolicyFigures, policyText);
