import { type TObject, type TSchema, Type } from "typebox";
import { type Fault, pointerTo, quote } from "./fault.ts";
import { SETTINGS_LIMITS } from "./settings.ts";

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const NODES_MAX = SETTINGS_LIMITS.metadataMaxBytes;

/** What {@link readBySchema} returns for a part with a fault: it was named, and is not to be looked at again. */
export const FAULTY = Symbol("faulty");

/**
 * Copy unknown input into plain data of the schema's shape, naming every fault. Reads hostile objects safely: own data
 * properties only, no accessor is run, a throwing proxy is a fault, and work is bounded by the schema. Knows the
 * keywords that the settings use; `Value.Errors` of TypeBox stops at 8 errors unless a global setting is changed.
 */
export function readBySchema(schema: TSchema, value: unknown, pointer: string, faults: Fault[]): unknown {
  const fail = (message: string): typeof FAULTY => {
    faults.push({ pointer, message });
    return FAULTY;
  };
  if (Type.IsObject(schema)) return readObject(schema, value, pointer, faults);
  if (Type.IsRecord(schema)) return readMetadata(value, pointer, faults);
  if (Type.IsArray(schema)) {
    const elements = dataElements(value, bound(schema, "maxItems"));
    if (typeof elements === "string") return fail(elements);
    if (elements.length < bound(schema, "minItems")) return fail("must not be empty");
    if (Type.IsString(schema.items)) return readStrings(schema.items, elements, pointer, faults);
    return elements.map((one, index) => readBySchema(schema.items, one, pointerTo(pointer, index), faults));
  }
  if (Type.IsUnion(schema)) {
    const [first, ...rest] = schema.anyOf;
    if (value === null && rest.some((one) => Type.IsNull(one))) return null;
    return first === undefined ? FAULTY : readBySchema(first, value, pointer, faults);
  }
  if (Type.IsEnum(schema)) {
    if (schema.enum.some((one) => one === value)) return value;
    const given = typeof value === "string" ? `"${quote(value)}" is not known: ` : "";
    return fail(`${given}must be one of ${schema.enum.join(", ")}`);
  }
  if (Type.IsBoolean(schema)) return typeof value === "boolean" ? value : fail("must be true or false");
  if (Type.IsInteger(schema))
    return readInteger(value, bound(schema, "minimum"), bound(schema, "maximum"), fail);
  if (Type.IsString(schema)) {
    return readString(value, bound(schema, "minLength"), bound(schema, "maxLength"), fail);
  }
  return fail("is not understood");
}

/** Lists are long: a place in one gets a pointer only when there is something wrong with it. */
function readStrings(
  schema: TSchema,
  elements: readonly unknown[],
  pointer: string,
  faults: Fault[],
): unknown[] {
  const [minChars, maxChars] = [bound(schema, "minLength"), bound(schema, "maxLength")];
  return elements.map((one, index) =>
    readString(one, minChars, maxChars, (message) => {
      faults.push({ pointer: pointerTo(pointer, index), message });
      return FAULTY;
    }),
  );
}

type Bound = "minItems" | "maxItems" | "minLength" | "maxLength" | "minimum" | "maximum";

function bound(schema: TSchema, keyword: Bound): number {
  const value: unknown = Reflect.get(schema, keyword);
  return typeof value === "number" ? value : 0;
}

function readInteger(
  value: unknown,
  min: number,
  max: number,
  fail: (message: string) => typeof FAULTY,
): number | typeof FAULTY {
  const isInside = typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
  return isInside ? value : fail(`must be a whole number from ${min} to ${max}`);
}

/** Trimmed text; lengths count characters, not UTF-16 units, as JSON Schema does. */
function readString(
  value: unknown,
  minChars: number,
  maxChars: number,
  fail: (message: string) => typeof FAULTY,
): string | typeof FAULTY {
  if (typeof value !== "string") return fail("must be a string");
  const text = value.trim();
  if (!text.isWellFormed()) return fail("is not well-formed text: it has a lone surrogate");
  // A character has one or two units.
  if (text.length <= maxChars && text.length >= minChars * 2) return text;
  if (text.length > maxChars * 2) return fail(`is too long: at most ${maxChars} characters`);
  const characters = [...text].length;
  if (characters > maxChars) return fail(`is too long: at most ${maxChars} characters`);
  if (characters === 0 && minChars > 0) return fail("must not be empty");
  if (characters < minChars) return fail(`is too short: at least ${minChars} characters`);
  return text;
}

function readObject(schema: TObject, value: unknown, pointer: string, faults: Fault[]): unknown {
  const properties = dataProperties(value);
  if (typeof properties === "string") {
    faults.push({ pointer, message: properties });
    return FAULTY;
  }
  const clean: Record<string, unknown> = {};
  const given = new Map(properties);
  for (const [key, part] of properties) {
    if (part === undefined || Object.hasOwn(schema.properties, key)) continue;
    faults.push({ pointer: pointerTo(pointer, key), message: "is not a known field" });
  }
  for (const [key, property] of Object.entries(schema.properties)) {
    const part = given.get(key);
    if (part !== undefined) clean[key] = readBySchema(property, part, pointerTo(pointer, key), faults);
    else if (!Type.IsOptional(property))
      faults.push({ pointer: pointerTo(pointer, key), message: "is required" });
  }
  return clean;
}

function readMetadata(value: unknown, pointer: string, faults: Fault[]): unknown {
  if (typeof value !== "object" || value === null) {
    faults.push({ pointer, message: "must be an object" });
    return FAULTY;
  }
  const before = faults.length;
  const copy = copyJson(value, pointer, 0, { nodes: 0, faults });
  if (faults.length > before) return FAULTY;
  if (new TextEncoder().encode(JSON.stringify(copy)).length > SETTINGS_LIMITS.metadataMaxBytes) {
    faults.push({
      pointer,
      message: `is too large: at most ${SETTINGS_LIMITS.metadataMaxBytes} bytes as JSON`,
    });
    return FAULTY;
  }
  return copy;
}

type CopyState = { nodes: number; readonly faults: Fault[] };

function copyJson(value: unknown, pointer: string, depth: number, state: CopyState): unknown {
  const fail = (message: string): undefined => {
    state.faults.push({ pointer, message });
  };
  state.nodes += 1;
  if (state.nodes > NODES_MAX) return state.nodes === NODES_MAX + 1 ? fail("has too many values") : undefined;
  if (depth > SETTINGS_LIMITS.metadataMaxDepth) return fail("is nested too deeply");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return fail("must be a finite number");
    return value === 0 ? 0 : value;
  }
  if (typeof value === "string") {
    if (value.length > SETTINGS_LIMITS.metadataMaxBytes) return fail("is too long");
    return value.isWellFormed() ? value : fail("is not well-formed text: it has a lone surrogate");
  }
  if (typeof value !== "object") return fail("is not JSON");
  if (depth > 0 && isList(value)) {
    const elements = dataElements(value, SETTINGS_LIMITS.metadataMaxBytes);
    if (typeof elements === "string") return fail(elements);
    return elements.map((one, index) => copyJson(one, pointerTo(pointer, index), depth + 1, state));
  }
  const properties = dataProperties(value);
  if (typeof properties === "string") return fail(properties);
  const copy: Record<string, unknown> = {};
  for (const [key, part] of properties) {
    const below = pointerTo(pointer, key);
    if (FORBIDDEN_KEYS.has(key)) state.faults.push({ pointer: below, message: "is a forbidden key" });
    else if (!key.isWellFormed()) state.faults.push({ pointer: below, message: "is not a well-formed key" });
    else if (part !== undefined) copy[key] = copyJson(part, below, depth + 1, state);
  }
  return copy;
}

function isList(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy; reading it names the fault
  }
}

/** The own data properties of a plain object, or what is wrong with it. */
function dataProperties(value: unknown): [string, unknown][] | string {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "must be an object";
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return "must be a plain object";
    const properties: [string, unknown][] = [];
    for (const key of Reflect.ownKeys(value)) {
      if (typeof key === "symbol") return "must not have symbols as keys";
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
      if (descriptor === undefined || !("value" in descriptor)) return "must hold plain data, no accessors";
      properties.push([key, descriptor.value]);
    }
    return properties;
  } catch {
    return "cannot be read";
  }
}

/** The elements of an array of at most `maxItems`, or what is wrong with it. A hole or accessor is undefined. */
function dataElements(value: unknown, maxItems: number): unknown[] | string {
  try {
    if (!Array.isArray(value)) return "must be an array";
    const length: unknown = Reflect.getOwnPropertyDescriptor(value, "length")?.value;
    if (typeof length !== "number" || !(length >= 0 && length <= maxItems)) {
      return `has too many items: at most ${maxItems}`;
    }
    const elements: unknown[] = [];
    for (let index = 0; index < length; index += 1) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, String(index));
      elements.push(descriptor !== undefined && "value" in descriptor ? descriptor.value : undefined);
    }
    return elements;
  } catch {
    return "cannot be read";
  }
}
