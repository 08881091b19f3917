import type { FastifyInstance, FastifyRequest } from "fastify";
import { isShallow } from "../channels/index.ts";
import type { Gate } from "../gate/index.ts";
import { type KeyRecord, type KeyStore, UnreadableRecordError, UnstoredChangeError } from "../keys/index.ts";
import type { Audit, AuditRecord } from "../observe/audit.ts";
import { type DeclaredEndpoint, judgeSettings } from "../policy/index.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import { KeyDirectory } from "./key-directory.ts";
import { keyQueryOf } from "./key-query.ts";
import { etagOf, KeyViews, missingVersion, notFound, stale, versionOf } from "./key-view.ts";
import { forbiddenMembers, MAX_PATCH_DEPTH, mergePatch } from "./merge-patch.ts";
import { KEY_ROUTES } from "./schemas/keys.ts";
import { documented, documentedSettings } from "./scope.ts";
import { differences } from "./settings-input.ts";

export type KeysApiOptions = {
  readonly keys: KeyStore;
  readonly gate: Gate;
  readonly audit: Audit;
  readonly access: AdminAccess;
  readonly endpoints: readonly DeclaredEndpoint[];
};

const UNSTORED = "in force, not stored yet";
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

type KeyPath = { Params: { id: string } };

/** `/keys`: create, list, read, change and delete API keys. Secrets leave the server once, in the answer to a create. */
export function registerKeysApi(scope: FastifyInstance, options: KeysApiOptions): void {
  const { keys, endpoints, audit, access } = options;
  const views = new KeyViews(options);
  const directory = new KeyDirectory(options);
  scope.addHook("onClose", () => directory.close());

  scope.post("/keys", documentedSettings(KEY_ROUTES.create), async (request, reply) => {
    const read = judgeSettings(request.body, { endpoints });
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const { record, secret } = await keys.create(read.settings);
    const actor = access.actorOf(request);
    await audit.record({ action: "key.created", actor, keyId: record.id, after: record.settings });
    reply.code(201).header("location", `/admin/v1/keys/${record.id}`).header("etag", etagOf(record));
    reply.header("cache-control", "no-store");
    return { ...(await views.one(record)), secret, warnings: read.warnings };
  });

  scope.get("/keys", documented(KEY_ROUTES.list), async (request, reply) => {
    const query = keyQueryOf(request);
    if (query !== undefined) {
      if ("fault" in query) return reply.refuse(refuse("invalid_request", query.fault));
      const { keys: found, ...selection } = await directory.select(query);
      return { items: await views.many(found), ...selection };
    }
    const page = pageOf(request);
    if (page === undefined) {
      return reply.refuse(refuse("invalid_request", `limit is a whole number from 1 to ${PAGE_MAX}`));
    }
    const { keys: found, next, unreadable } = await directory.page(page);
    return { items: await views.many(found), next, ...(unreadable.length > 0 ? { unreadable } : {}) };
  });

  scope.get<KeyPath>("/keys/:id", documented(KEY_ROUTES.read), async (request, reply) => {
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    reply.header("etag", etagOf(record));
    return views.one(record);
  });

  scope.patch<KeyPath>("/keys/:id", documentedSettings(KEY_ROUTES.change), async (request, reply) => {
    const version = versionOf(request);
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    if (version === undefined) return reply.refuse(missingVersion(request));
    if (version !== record.version) return stale(reply, record.version);
    const patch = request.body;
    if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
      return reply.refuse(
        refuse("invalid_request", "send a JSON Merge Patch: an object with the settings to change"),
      );
    }
    if (!isShallow(patch, MAX_PATCH_DEPTH)) {
      return reply.refuse(refuse("invalid_settings", `a patch is at most ${MAX_PATCH_DEPTH} levels deep`));
    }
    const forbidden = forbiddenMembers(patch);
    if (forbidden.length > 0) return reply.refuse(refuse("invalid_settings"), forbidden);
    const read = judgeSettings(mergePatch(record.settings, patch), { endpoints, before: record.settings });
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const deed = { action: "key.changed", actor: access.actorOf(request), keyId: record.id } as const;
    const result = await recordUnstored(
      audit,
      { ...deed, ...differences(record.settings, read.settings) },
      keys.update(record.id, version, () => read.settings),
    );
    if (!result.ok)
      return result.reason === "not_found" ? notFound(reply) : stale(reply, result.currentVersion);
    await audit.record({ ...deed, ...differences(record.settings, result.record.settings) });
    reply.header("etag", etagOf(result.record));
    return { ...(await views.one(result.record)), warnings: read.warnings };
  });

  scope.delete<KeyPath>("/keys/:id", documented(KEY_ROUTES.delete), async (request, reply) => {
    const version = versionOf(request);
    if (version === undefined && request.headers["if-match"] !== undefined)
      return reply.refuse(missingVersion(request));
    const { id } = request.params;
    const last = await readable(keys, id);
    const before = last?.settings;
    const deed = { action: "key.deleted", actor: access.actorOf(request), keyId: id, before } as const;
    const result = await recordUnstored(audit, deed, keys.delete(id, version));
    if (!result.ok) {
      return result.reason === "not_found" ? notFound(reply) : stale(reply, result.currentVersion);
    }
    await audit.record(deed);
    return reply.code(204).send();
  });
}

/** Note a deed that is in force although the store did not take it: its answer is a refusal, and it was done. */
export async function recordUnstored<T>(audit: Audit, deed: AuditRecord, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof UnstoredChangeError) {
      const detail = deed.detail === undefined ? UNSTORED : `${deed.detail}; ${UNSTORED}`;
      await audit.record({ ...deed, detail });
    }
    throw error;
  }
}

function pageOf(request: FastifyRequest): { limit: number; after: string | undefined } | undefined {
  const query = new URL(request.url, "http://admin").searchParams;
  const limit = query.get("limit") || String(PAGE_DEFAULT);
  if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > PAGE_MAX) return undefined;
  return { limit: Number(limit), after: query.get("after") || undefined };
}

/** A damaged key can be deleted too. */
async function readable(keys: KeyStore, id: string): Promise<KeyRecord | undefined> {
  try {
    return await keys.get(id);
  } catch (error) {
    if (error instanceof UnreadableRecordError) return undefined;
    throw error;
  }
}
