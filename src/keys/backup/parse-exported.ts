import { isObject } from "../../lib/json-object.ts";
import { pointerTo } from "../../policy/fault.ts";
import type { Fault } from "../../policy/index.ts";
import { type SettingsSchema, upgradeStored } from "../../policy/settings-schema.ts";
import { hasControlCharacter } from "../../protocol/index.ts";
import {
  isDigest,
  isInstant,
  isKeyId,
  KEY_SCHEMA,
  type KeyRecord,
  MAX_SECRETS,
  RECORD_FIELDS,
  SECRET_FIELDS,
  type SecretEntry,
} from "../records/key-record.ts";

const HINT_MAX_CHARS = 64;
/** Leaves room to count on. */
const VERSION_MAX = 1e12;
const INSTANT = "must be an instant such as 2027-01-31T00:00:00.000Z";

/** Reads a key of a backup, naming every fault below `pointer`. Undefined when there is one. */
export function parseExported(value: unknown, pointer: string, faults: Fault[]): KeyRecord | undefined {
  const schema = isObject(value) ? value["schema"] : undefined;
  if (typeof schema === "number" && schema > KEY_SCHEMA) {
    const message = "was written by a newer version of this program: update this one";
    faults.push({ pointer: pointerTo(pointer, "schema"), message });
    return undefined;
  }
  const take = fieldsOf(value, RECORD_FIELDS, pointer, faults);
  if (take === undefined) return undefined;
  const known = take("schema", isSchema, `must be a whole number from 1 to ${KEY_SCHEMA}`);
  const id = take("id", isKeyId, "must be key_ and 1 to 60 letters and digits");
  const version = take("version", isVersion, `must be a whole number from 1 to ${VERSION_MAX}`);
  const settings = take("settings", isObject, "must be an object");
  const createdAt = take("createdAt", isInstant, INSTANT);
  const updatedAt = take("updatedAt", isInstant, INSTANT);
  const listed = take("secrets", isSecretList, `must be an array of at most ${MAX_SECRETS}`);
  const secrets = listed?.map((one, index) =>
    parseSecret(one, pointerTo(pointerTo(pointer, "secrets"), index), faults),
  );
  if (known === undefined || id === undefined || version === undefined || settings === undefined)
    return undefined;
  if (createdAt === undefined || updatedAt === undefined || secrets === undefined) return undefined;
  const complete = secrets.filter((entry) => entry !== undefined);
  if (complete.length < secrets.length) return undefined;
  return {
    schema: known,
    id,
    version,
    settings: upgradeStored(settings, known),
    secrets: complete,
    createdAt,
    updatedAt,
  };
}

function parseSecret(value: unknown, pointer: string, faults: Fault[]): SecretEntry | undefined {
  const take = fieldsOf(value, SECRET_FIELDS, pointer, faults);
  if (take === undefined) return undefined;
  const digest = take("digest", isDigest, "must be a SHA-256 in base64url (43 characters)");
  const hint = take("hint", isHint, `must be text of at most ${HINT_MAX_CHARS} characters`);
  const validUntil = take("validUntil", isEnd, `${INSTANT}, or null`);
  return digest === undefined || hint === undefined || validUntil === undefined
    ? undefined
    : { digest, hint, validUntil };
}

type Take = <T>(field: string, isRight: (given: unknown) => given is T, message: string) => T | undefined;

/** Names fields that are not known and gives a reader of the others; undefined when it is no object. */
function fieldsOf(
  value: unknown,
  known: readonly string[],
  pointer: string,
  faults: Fault[],
): Take | undefined {
  if (!isObject(value)) {
    faults.push({ pointer, message: "must be an object" });
    return undefined;
  }
  for (const field of Object.keys(value)) {
    if (!known.includes(field))
      faults.push({ pointer: pointerTo(pointer, field), message: "is not a known field" });
  }
  return (field, isRight, message) => {
    const given = value[field];
    if (isRight(given)) return given;
    faults.push({ pointer: pointerTo(pointer, field), message });
    return undefined;
  };
}

function isSchema(value: unknown): value is SettingsSchema {
  return value === 1 || value === 2;
}

function isVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= VERSION_MAX;
}

function isSecretList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= MAX_SECRETS;
}

function isHint(value: unknown): value is string {
  return typeof value === "string" && value.length <= HINT_MAX_CHARS && !hasControlCharacter(value);
}

function isEnd(value: unknown): value is string | null {
  return value === null || isInstant(value);
}
