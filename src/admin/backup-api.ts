import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { type KeyStore, readManyAgnostKeys } from "../keys/index.ts";
import { type Fault, judgeImported, SETTINGS_MAX_BYTES } from "../policy/index.ts";
import { refuse } from "../protocol/index.ts";
import type { KeysApiOptions } from "./keys-api.ts";
import { KEY_ROUTES } from "./schemas/keys.ts";
import { documented } from "./scope.ts";

/** Warnings that an answer has one by one: a wildcard that was declared may touch every key. */
const MAX_WARNINGS = 1_000;

/** Replaced keys that the audit names one by one. */
const MAX_NAMED = 1_000;

/** A backup of 100,000 keys is well below this, and one key within the bounds of settings is not above it. */
const MAX_IMPORT_BYTES = Math.max(256 * 1024 * 1024, SETTINGS_MAX_BYTES + 64 * 1024);

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
export function registerBackupApi(
  scope: FastifyInstance,
  { keys, audit, access, endpoints }: KeysApiOptions,
): void {
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
      const result = await keys.importAll(body.keys, {
        onExisting,
        validate: (settings) => judgeImported(settings, endpoints),
      });
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
      return { created, replaced, skipped, ...warningsOf(result.warnings ?? []) };
    },
  );

  scope.post(
    "/keys/import/agnost",
    { bodyLimit: MAX_IMPORT_BYTES, ...documented(KEY_ROUTES.importAgnost) },
    async (request, reply) => {
      const { query } = request;
      const wish = typeof query === "object" && query !== null ? Reflect.get(query, "allowWeak") : undefined;
      if (wish !== undefined && wish !== "" && wish !== "true" && wish !== "false")
        return reply.refuse(refuse("invalid_request", "allowWeak is true or false"));
      const read = await readManyAgnostKeys(request.body, { allowWeak: wish === "true", endpoints });
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
      return { created, ...warningsOf(read.warnings) };
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

/** The first of them, and how many are left out. */
function warningsOf(warnings: readonly Fault[]) {
  const first = warnings.slice(0, MAX_WARNINGS);
  return {
    warnings: first.map(({ pointer, message }) => ({ pointer, message })),
    moreWarnings: warnings.length - first.length,
  };
}
