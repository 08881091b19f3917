import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { type KeyStore, readAgnostKeys, type SettingsDocument } from "../keys/index.ts";
import { PolicyError, parseSettings } from "../policy/index.ts";
import { refuse } from "../protocol/index.ts";
import type { KeysApiOptions } from "./keys-api.ts";
import { KEY_ROUTES } from "./schemas/keys.ts";
import { documented } from "./scope.ts";

/** Replaced keys that the audit names one by one. */
const MAX_NAMED = 1_000;

/** A backup of 100,000 keys is well below this. */
const MAX_IMPORT_BYTES = 256 * 1024 * 1024;

const Import = Compile(
  Type.Object(
    {
      keys: Type.Array(Type.Unknown()),
      onExisting: Type.Optional(Type.Union(["refuse", "replace", "skip"].map((what) => Type.Literal(what)))),
    },
    { additionalProperties: false },
  ),
);

/** A backup and its restore (digests, never secrets), and the way in from Agnost. */
export function registerBackupApi(scope: FastifyInstance, { keys, audit, access }: KeysApiOptions): void {
  scope.post("/keys/export", documented(KEY_ROUTES.export), async (request, reply) => {
    await audit.record({ action: "keys.exported", actor: access.actorOf(request) });
    reply.type("application/json; charset=utf-8").header("cache-control", "no-store");
    return reply.send(Readable.from(exportLines(keys)));
  });

  scope.post(
    "/keys/import",
    { bodyLimit: MAX_IMPORT_BYTES, ...documented(KEY_ROUTES.import) },
    async (request, reply) => {
      const { body } = request;
      if (!Import.Check(body))
        return reply.refuse(refuse("invalid_request", "send { keys, onExisting }, as exported"));
      const onExisting =
        body.onExisting === "replace" || body.onExisting === "skip" ? body.onExisting : "refuse";
      const result = await keys.importAll(body.keys.map(normalised), { onExisting, validate: faultsOf });
      if (!result.ok) return reply.refuse(refuse("invalid_settings", "nothing was imported"), result.faults);
      const { created, replaced, skipped } = result;
      const detail = `${created.length} created, ${replaced.length} replaced, ${skipped.length} skipped`;
      const actor = access.actorOf(request);
      await audit.record({ action: "keys.imported", actor, detail });
      for (const keyId of replaced.slice(0, MAX_NAMED)) {
        await audit.record({
          action: "key.changed",
          actor,
          keyId,
          detail: "replaced by an import: see its versions",
        });
      }
      return { created, replaced, skipped };
    },
  );

  scope.post(
    "/keys/import/agnost",
    { bodyLimit: MAX_IMPORT_BYTES, ...documented(KEY_ROUTES.importAgnost) },
    async (request, reply) => {
      const { query } = request;
      const wish = typeof query === "object" && query !== null ? Reflect.get(query, "allowWeak") : undefined;
      if (wish !== undefined && wish !== "true" && wish !== "false")
        return reply.refuse(refuse("invalid_request", "allowWeak is true or false"));
      const read = readAgnostKeys(request.body, { allowWeak: wish === "true" });
      if (!read.ok) return reply.refuse(refuse("invalid_settings", "nothing was imported"), read.faults);
      const result = await keys.createMany(read.keys.map(({ settings, secret }) => ({ settings, secret })));
      if (!result.ok) {
        const faults = result.faults.map(({ index, message }) => ({
          pointer: `${read.keys[index]?.pointer ?? ""}/key`,
          message,
        }));
        return reply.refuse(refuse("invalid_settings", "nothing was imported"), faults);
      }
      const created = result.created.map(({ record }) => record.id);
      const detail = `${created.length} keys of an Agnost version document`;
      await audit.record({ action: "keys.imported", actor: access.actorOf(request), detail });
      return { created };
    },
  );
}

/** One document, written as it is read: the keys never stand in memory together. */
async function* exportLines(keys: KeyStore): AsyncGenerator<string> {
  yield '{"keys":[';
  let separator = "\n";
  const unreadable: string[] = [];
  for await (const key of keys.exportAll({ onUnreadable: (id) => unreadable.push(id) })) {
    yield `${separator}${JSON.stringify(key)}`;
    separator = ",\n";
  }
  // One damaged record does not cost the backup of the others.
  yield `\n],"unreadable":${JSON.stringify(unreadable)}}\n`;
}

/** What people see is what will be compared, also of settings that were written by hand. */
function normalised(entry: unknown): unknown {
  if (typeof entry !== "object" || entry === null || !("settings" in entry)) return entry;
  try {
    return { ...entry, settings: parseSettings(entry.settings) };
  } catch {
    return entry;
  }
}

function faultsOf(settings: SettingsDocument): PolicyError["faults"] {
  try {
    parseSettings(settings);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.faults;
    throw error;
  }
}
