import { isObject } from "../../lib/json-object.ts";
import { TurnSlices } from "../../lib/turn-slices.ts";
import { pointerTo } from "../../policy/fault.ts";
import { type DeclaredEndpoint, type Fault, judgeImported } from "../../policy/index.ts";
import type { SettingsDocument } from "../records/key-record.ts";
import { faultOfSecret, isPossibleSecret } from "../secret/secret.ts";
import { weaknessOf } from "../secret/secret-strength.ts";

/** A key of an Agnost version document: its secret, which goes on working, and its settings in our form. */
export type AgnostKey = {
  readonly secret: string;
  readonly settings: SettingsDocument;
  /** Where it stands in the document (JSON pointer). */
  readonly pointer: string;
};

export type AgnostKeys =
  | { readonly ok: true; readonly keys: readonly AgnostKey[]; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export type AgnostOptions = {
  /** Take secrets that can be guessed, too. */
  readonly allowWeak?: boolean;
  /** What the application declares, to warn of lists that do not fit it. */
  readonly endpoints?: readonly DeclaredEndpoint[];
};

type Entry = Readonly<Record<string, unknown>>;

/** Characters that every HTTP client sends in a header, and sends alike. */
const IN_A_HEADER = /^[\x20-\x7e]+$/;
const NOT_IN_A_HEADER = "has characters that no HTTP header can carry: give this key another secret";

/** Where each part of our settings comes from. */
const SOURCES: readonly (readonly [settings: string, agnost: string])[] = [
  ["/name", "/name"],
  ["/allowRealtime", "/allowRealtime"],
  ["/endpoints/mode", "/type"],
  ["/domains/mode", "/domainAuthorization"],
  ["/domains/list", "/authorizedDomains"],
  ["/ips/mode", "/IPAuthorization"],
  ["/ips/list", "/authorizedIPs"],
  ["/expiresAt", "/expiryDate"],
];
/** Which of the two lists a mode of endpoints uses; the others use none. */
const LIST_OF_MODE = new Map<unknown, string>([
  ["custom-allowed", "allowedEndpoints"],
  ["custom-excluded", "excludedEndpoints"],
]);

/**
 * Reads the API keys of an Agnost version document, or its `apiKeys` alone: all of them, or every fault with its
 * JSON pointer into the document. No message shows a secret. Fields that are not about access are ignored.
 *
 * Modes of domains and addresses may be absent where nothing is listed beside them: "all" is the default there as
 * here. `type` and `allowRealtime` may not: the defaults differ, and nobody is to be let in or out by a guess.
 * A list of endpoints that the type does not use is dropped, since ours has one list for both meanings.
 * A secret that can be guessed is a fault, unless `allowWeak`.
 */
export function readAgnostKeys(document: unknown, options: AgnostOptions = {}): AgnostKeys {
  const steps = agnostSteps(document, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same for tens of thousands of keys: others have their turn between them. */
export async function readManyAgnostKeys(
  document: unknown,
  options: AgnostOptions = {},
): Promise<AgnostKeys> {
  const steps = agnostSteps(document, options);
  const slices = new TurnSlices();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await slices.pause();
  }
}

/** One step a key. */
function* agnostSteps(document: unknown, options: AgnostOptions): Generator<void, AgnostKeys, void> {
  const { allowWeak = false, endpoints = [] } = options;
  const list = isObject(document) ? document["apiKeys"] : document;
  const base = isObject(document) ? "/apiKeys" : "";
  if (!Array.isArray(list)) {
    const message = "must be an array of API keys, or a version document with one as apiKeys";
    return { ok: false, faults: [{ pointer: base, message }] };
  }
  const entries: readonly unknown[] = list;
  const keys: AgnostKey[] = [];
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const pointerOfSecret = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    yield;
    const pointer = pointerTo(base, index);
    const before = faults.length;
    const secret = readSecret(entry, pointer, pointerOfSecret, faults);
    const weakness = secret === undefined || allowWeak ? undefined : weaknessOf(secret);
    if (weakness !== undefined) faults.push({ pointer: pointerTo(pointer, "key"), message: weakness });
    const settings = readSettings(entry, pointer, { endpoints, faults, warnings });
    if (faults.length > before || secret === undefined || settings === undefined) continue;
    keys.push({ secret, settings, pointer });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, keys, warnings };
}

function readSecret(
  entry: unknown,
  pointer: string,
  pointerOfSecret: Map<string, string>,
  faults: Fault[],
): string | undefined {
  if (!isObject(entry)) return undefined; // named with the settings
  const secret = fieldOf(entry, "key");
  const place = pointerTo(pointer, "key");
  const first = typeof secret === "string" ? pointerOfSecret.get(secret) : undefined;
  if (secret === undefined || secret === null) faults.push({ pointer: place, message: "is required" });
  else if (typeof secret !== "string") faults.push({ pointer: place, message: "must be a string" });
  else if (!isPossibleSecret(secret)) faults.push({ pointer: place, message: faultOfSecret(secret) });
  else if (!IN_A_HEADER.test(secret)) faults.push({ pointer: place, message: NOT_IN_A_HEADER });
  else if (first !== undefined) faults.push({ pointer: place, message: `is the same secret as ${first}` });
  else {
    pointerOfSecret.set(secret, place);
    return secret;
  }
  return undefined;
}

type Findings = {
  readonly endpoints: readonly DeclaredEndpoint[];
  readonly faults: Fault[];
  readonly warnings: Fault[];
};

function readSettings(
  entry: unknown,
  pointer: string,
  { endpoints, faults, warnings }: Findings,
): SettingsDocument | undefined {
  if (!isObject(entry)) {
    faults.push({ pointer, message: "must be an object" });
    return undefined;
  }
  if (fieldOf(entry, "allowRealtime") === undefined) {
    faults.push({ pointer: pointerTo(pointer, "allowRealtime"), message: "is required" });
  }
  const used = LIST_OF_MODE.get(fieldOf(entry, "type"));
  for (const list of LIST_OF_MODE.values()) {
    if (list !== used) checkUnusedList(fieldOf(entry, list), pointerTo(pointer, list), faults);
  }
  const judged = judgeImported(settingsOf(entry, used), endpoints);
  const inDocument = (fault: Fault): Fault => ({
    pointer: pointer + sourceOf(fault.pointer, used),
    message: fault.message,
  });
  if ("faults" in judged) {
    faults.push(...judged.faults.map(inDocument));
    return undefined;
  }
  warnings.push(...judged.warnings.map(inDocument));
  return judged.settings;
}

/** The same in our words; what is wrong with it is found where settings are parsed. */
function settingsOf(entry: Entry, usedList: string | undefined): unknown {
  return {
    name: fieldOf(entry, "name"),
    allowRealtime: fieldOf(entry, "allowRealtime"),
    endpoints: {
      mode: fieldOf(entry, "type"),
      list: usedList === undefined ? undefined : fieldOf(entry, usedList),
    },
    domains: listOf(entry, "domainAuthorization", "authorizedDomains"),
    ips: listOf(entry, "IPAuthorization", "authorizedIPs"),
    expiresAt: fieldOf(entry, "expiryDate"),
  };
}

function listOf(entry: Entry, modeField: string, listField: string) {
  const list = fieldOf(entry, listField);
  const isListed = Array.isArray(list) && list.length > 0;
  const mode = fieldOf(entry, modeField);
  return { mode: mode === undefined && !isListed ? "all" : mode, list };
}

function checkUnusedList(value: unknown, pointer: string, faults: Fault[]): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) {
    faults.push({ pointer, message: "must be an array" });
    return;
  }
  const elements: readonly unknown[] = value;
  for (const [index, one] of elements.entries()) {
    if (typeof one !== "string")
      faults.push({ pointer: pointerTo(pointer, index), message: "must be a string" });
  }
}

/** From a pointer into our settings to one into Agnost's entry. */
function sourceOf(pointer: string, usedList: string | undefined): string {
  const sources = [...SOURCES, ["/endpoints/list", `/${usedList}`] as const];
  for (const [ours, theirs] of sources) {
    if (pointer === ours || pointer.startsWith(`${ours}/`)) return theirs + pointer.slice(ours.length);
  }
  return "";
}

function fieldOf(entry: Entry, field: string): unknown {
  return Object.hasOwn(entry, field) ? entry[field] : undefined;
}
