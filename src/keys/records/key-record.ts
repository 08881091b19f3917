import { isObject } from "../../lib/json-object.ts";
import { type SettingsSchema, schemaOf, upgradeStored } from "../../policy/settings-schema.ts";
import { UnreadableRecordError } from "./errors.ts";

/** The newest schema of a key that this program reads. It writes the oldest that says what the settings say. */
export const KEY_SCHEMA = 2;
/** The schema of what is stored beside keys: usage and the log. */
export const ENTRY_SCHEMA = 1;
/** Secrets that a key may have at once: a rotation's overlap, and a few that began before it ended. */
export const MAX_SECRETS = 5;

/**
 * Settings as the store sees them: a JSON object that it keeps and does not interpret, but for the schema that it has.
 * Who writes has parsed them, who reads compiles them, and what does not compile denies.
 */
export type SettingsDocument = Readonly<Record<string, unknown>>;

/** One secret of a key. A key has several while a rotation overlaps. */
export type SecretEntry = {
  /** SHA-256 in base64url. */
  readonly digest: string;
  readonly hint: string;
  /** ISO instant from which on the secret grants nothing; null: as long as the key. */
  readonly validUntil: string | null;
};

export type KeyRecord = {
  /** By its settings. */
  readonly schema: SettingsSchema;
  readonly id: string;
  /** From 1; every change adds one. */
  readonly version: number;
  readonly settings: SettingsDocument;
  readonly secrets: readonly SecretEntry[];
  readonly createdAt: string;
  readonly updatedAt: string;
};

const ID = /^key_[0-9A-Za-z]{1,60}$/;
const DIGEST = /^[0-9A-Za-z_-]{43}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const RECORD_FIELDS: readonly string[] = [
  "schema",
  "id",
  "version",
  "settings",
  "secrets",
  "createdAt",
  "updatedAt",
];
export const SECRET_FIELDS: readonly string[] = ["digest", "hint", "validUntil"];

/** `key_` and 1 to 60 base62 characters. */
export function isKeyId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/**
 * Reads what was stored under `id`, with its settings as this program means them. Fields that no schema has make it
 * unreadable too: writing it back would drop them.
 * @throws UnreadableRecordError
 */
export function parseKeyRecord(id: string, value: unknown): KeyRecord {
  const entry = readEntry(id, value, RECORD_FIELDS, KEY_SCHEMA);
  const { version, secrets, createdAt, updatedAt } = entry;
  const settings = storedSettings(entry);
  if (entry["id"] !== id) throw damaged(id, "id");
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) {
    throw damaged(id, "version");
  }
  if (settings === undefined) throw damaged(id, "settings");
  if (!Array.isArray(secrets)) throw damaged(id, "secrets");
  if (!isInstant(createdAt)) throw damaged(id, "createdAt");
  if (!isInstant(updatedAt)) throw damaged(id, "updatedAt");
  return {
    schema: schemaOf(settings),
    id,
    version,
    settings,
    secrets: secrets.map((entry: unknown) => parseSecretEntry(id, entry)),
    createdAt,
    updatedAt,
  };
}

/** The settings of a stored entry as this program means them; undefined when they are no object. */
export function storedSettings({ schema, settings }: StoredEntry): SettingsDocument | undefined {
  return isObject(settings) ? upgradeStored(settings, schema === 1 ? 1 : 2) : undefined;
}

type StoredEntry = Readonly<Record<string, unknown>>;

/**
 * Reads an object of a schema up to `newest` that has no other fields than `known`. `name` is what the error calls it.
 * @throws UnreadableRecordError
 */
export function readEntry(
  name: string,
  value: unknown,
  known: readonly string[],
  newest: number,
): StoredEntry {
  if (!isObject(value)) throw damaged(name, "not an object");
  const { schema } = value;
  if (typeof schema !== "number" || !Number.isSafeInteger(schema) || schema < 1) {
    throw damaged(name, "schema");
  }
  if (schema > newest) throw new UnreadableRecordError(name, "newer_schema", `schema ${schema}`);
  refuseOtherFields(name, value, known);
  return value;
}

/** The secrets whose time is not over at `now` (ms since 1970). */
export function liveSecrets(secrets: readonly SecretEntry[], now: number): SecretEntry[] {
  return secrets.filter(({ validUntil }) => validUntil === null || now < Date.parse(validUntil));
}

/** The key's entry for this digest, unless there is none or its time is over at `now` (ms since 1970). */
export function validSecret(record: KeyRecord, digest: string, now: number): SecretEntry | undefined {
  const entry = record.secrets.find((candidate) => candidate.digest === digest);
  if (entry === undefined) return undefined;
  return entry.validUntil === null || now < Date.parse(entry.validUntil) ? entry : undefined;
}

/**
 * Whether both are the key at the same version. A change that is in force without being stored has another updatedAt, and a key
 * that was deleted and made again another createdAt.
 */
export function isSameRecord(record: KeyRecord, other: KeyRecord | undefined): boolean {
  return (
    record.version === other?.version &&
    record.createdAt === other.createdAt &&
    record.updatedAt === other.updatedAt
  );
}

export function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}

/** What stands in a store's entry that cannot be read. */
export function damaged(id: string, detail: string): UnreadableRecordError {
  return new UnreadableRecordError(id, "damaged", detail);
}

function parseSecretEntry(id: string, value: unknown): SecretEntry {
  if (!isObject(value)) throw damaged(id, "secrets");
  const { digest, hint, validUntil } = value;
  if (!isDigest(digest)) throw damaged(id, "secrets: digest");
  if (typeof hint !== "string") throw damaged(id, "secrets: hint");
  if (validUntil !== null && !isInstant(validUntil)) throw damaged(id, "secrets: validUntil");
  refuseOtherFields(id, value, SECRET_FIELDS);
  return { digest, hint, validUntil };
}

/** As `toISOString` writes it. */
export function isInstant(value: unknown): value is string {
  // V8 reads 30 February as 2 March, hence the round trip.
  if (typeof value !== "string" || !INSTANT.test(value)) return false;
  const time = Date.parse(value);
  return Number.isFinite(time) && new Date(time).toISOString() === value;
}

function refuseOtherFields(id: string, value: object, known: readonly string[]): void {
  if (Object.keys(value).some((field) => !known.includes(field)))
    throw damaged(id, "a field of no known name");
}
