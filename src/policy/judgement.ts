import { checkEndpointEntries, type DeclaredEndpoint, parseEndpointEntry } from "./endpoint.ts";
import { type Fault, PolicyError } from "./fault.ts";
import { isNarrowing } from "./narrowing.ts";
import { parseOriginRule } from "./origin-rule.ts";
import { parseDocument } from "./parse.ts";
import { roundedNumbers } from "./rounded-numbers.ts";
import type { Settings } from "./settings.ts";

type Document = Readonly<Record<string, unknown>>;

/** What a judgement compares new settings with. */
export type JudgementContext = {
  /** What the application declares. Absent: endpoint entries are not compared with anything. */
  readonly endpoints?: readonly DeclaredEndpoint[];
  /** The stored settings that are changed or copied. Absent: everything is new. */
  readonly before?: Document | undefined;
  /** Whether what is written was this key's before: then its entries were accepted once, and are not new. */
  readonly isRestored?: boolean;
};

/** The settings to store with what is wrong in parts that the change leaves alone, or every fault of what it touches. */
export type Judgement =
  | { readonly settings: Document; readonly warnings: readonly Fault[] }
  | { readonly faults: readonly Fault[] };

/**
 * Judge settings that somebody wants to store by what they change. A fault in what stays as it is stored is a warning: rules,
 * public suffixes and declared endpoints change under stored keys, and a key that does not fit them any more can still be
 * disabled and narrowed. A list is compared entry by entry, everything else field by field.
 *
 * The answer's settings are normalised, but for fields that cannot be read and stay as they are: with them the key denies.
 */
export function judgeSettings(input: unknown, context: JudgementContext = {}): Judgement {
  const { before } = context;
  const written = read(input, true);
  if ("settings" in written) {
    const rounded = roundedNumbers(written.settings.metadata, "/metadata");
    const isStored = JSON.stringify(before?.["metadata"]) === JSON.stringify(written.settings.metadata);
    if (rounded.length > 0 && !isStored) return { faults: rounded };
    return judgeEndpoints(written.settings, rounded, context);
  }
  const strict = written.faults;
  if (before === undefined || !isDocument(input)) return { faults: strict };
  const stored = read(input, false);
  if ("faults" in stored) return judgeAround(input, before, stored.faults, context);
  const { settings } = stored;
  const known = knownDomains(context.isRestored === true ? [before, input] : [before]);
  const isKnown = ({ pointer }: Fault): boolean => known.has(entryAt(input, pointer) ?? "");
  const faults = strict.filter((fault) => !isKnown(fault));
  if (faults.length > 0) return { faults };
  return judgeEndpoints(settings, strict, context);
}

/**
 * Judge settings that are put back as they were, by an import say: what can be read is stored, and what today's rules would not let
 * anybody write is a warning. What cannot be read is a fault, for such a key would let nobody in.
 */
export function judgeImported(input: unknown, endpoints: readonly DeclaredEndpoint[]): Judgement {
  const stored = read(input, false);
  if ("faults" in stored) return stored;
  return judgeSettings(input, { endpoints, before: stored.settings, isRestored: true });
}

/** Judge the fields that can be read, and keep those that cannot where the change leaves them alone. */
function judgeAround(
  input: Document,
  before: Document,
  hard: readonly Fault[],
  context: JudgementContext,
): Judgement {
  const names = new Set(hard.map(({ pointer }) => fieldOf(pointer)));
  const isKept = (name: string): boolean =>
    Object.hasOwn(before, name) && JSON.stringify(before[name]) === JSON.stringify(input[name]);
  const touched = hard.filter(({ pointer }) => !isKept(fieldOf(pointer)));
  if (touched.length > 0) return { faults: touched };
  const rest = Object.fromEntries(Object.entries(input).filter(([name]) => !names.has(name)));
  const named = names.has("name") ? { ...rest, name: "unreadable" } : rest;
  const judged = judgeSettings(named, context);
  if ("faults" in judged) return judged;
  const kept = Object.fromEntries([...names].map((name) => [name, before[name]]));
  return { settings: { ...judged.settings, ...kept }, warnings: [...hard, ...judged.warnings] };
}

/**
 * An entry that falls under a declared wildcard is a fault where it is new, or where the change gives it another meaning, unless
 * the change takes rights away.
 */
function judgeEndpoints(
  settings: Settings,
  earlier: readonly Fault[],
  { endpoints = [], before, isRestored = false }: JudgementContext,
): Judgement {
  const { faults, warnings } = checkEndpointEntries(settings, endpoints);
  const known = new Set(isRestored ? settings.endpoints.list : []);
  for (const text of listOf(before, "endpoints")) {
    const entry = parseEndpointEntry(text);
    if (typeof entry !== "string") known.add(entry.text);
  }
  const isSameMode = modeOf(before) === settings.endpoints.mode;
  const keepsMeaning =
    before !== undefined && faults.length > 0 && (isSameMode || isNarrowing(before, settings));
  const isKnown = ({ pointer }: Fault): boolean =>
    keepsMeaning && known.has(settings.endpoints.list[indexOf(pointer)] ?? "");
  const own = faults.filter((fault) => !isKnown(fault));
  if (own.length > 0) return { faults: own };
  return { settings, warnings: [...earlier, ...faults, ...warnings] };
}

type Reading = { readonly settings: Settings } | { readonly faults: readonly Fault[] };

function read(input: unknown, forWriting: boolean): Reading {
  try {
    return parseDocument(input, forWriting);
  } catch (error) {
    if (error instanceof PolicyError) return { faults: error.faults };
    throw error;
  }
}

/** The domains of stored settings in their canonical form, and as they are written there. */
function knownDomains(documents: readonly Document[]): ReadonlySet<string> {
  const known = new Set<string>();
  for (const text of documents.flatMap((one) => listOf(one, "domains"))) {
    const rule = parseOriginRule(text.trim(), false);
    if (typeof rule !== "string") known.add(rule.text);
  }
  return known;
}

/** The canonical form of the domain that a fault is about. */
function entryAt(input: Document, pointer: string): string | undefined {
  if (!pointer.startsWith("/domains/list/")) return undefined;
  const text = listOf(input, "domains", true)[indexOf(pointer)];
  const rule = typeof text === "string" ? parseOriginRule(text.trim(), false) : "";
  return typeof rule === "string" ? undefined : rule.text;
}

/** The strings of a list; with `isWhole` everything else stays at its place as an empty one. */
function listOf(document: Document | undefined, field: string, isWhole = false): string[] {
  const part = document?.[field];
  const list = isDocument(part) ? part["list"] : undefined;
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  if (isWhole) return entries.map((entry) => (typeof entry === "string" ? entry : ""));
  return entries.filter((entry) => typeof entry === "string");
}

function modeOf(document: Document | undefined): unknown {
  const endpoints = document?.["endpoints"];
  return isDocument(endpoints) ? (endpoints["mode"] ?? "no-access") : "no-access";
}

/** The first part of a pointer, which names one of the settings. */
function fieldOf(pointer: string): string {
  return (pointer.split("/")[1] ?? "").replaceAll("~1", "/").replaceAll("~0", "~");
}

function indexOf(pointer: string): number {
  return Number(pointer.slice(pointer.lastIndexOf("/") + 1));
}

function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
