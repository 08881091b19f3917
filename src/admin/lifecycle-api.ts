import type { FastifyInstance, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { isShallow } from "../channels/index.ts";
import { compileStored, type Fault, type Judgement, judgeSettings, type Policy } from "../policy/index.ts";
import { refuse } from "../protocol/index.ts";
import { etagOf, KeyViews, missingVersion, notFound, stale, versionOf } from "./key-view.ts";
import { type KeysApiOptions, recordUnstored } from "./keys-api.ts";
import { forbiddenMembers, MAX_PATCH_DEPTH, mergePatch } from "./merge-patch.ts";
import { KEY_ROUTES } from "./schemas/keys.ts";
import { documented, documentedSettings } from "./scope.ts";
import { differences } from "./settings-input.ts";

type KeyPath = { Params: { id: string } };

const MAX_VERSIONS_PAGE = 100;
const DEFAULT_OVERLAP_SECONDS = 24 * 60 * 60;
const MAX_OVERLAP_SECONDS = 90 * 24 * 60 * 60;

const Rotate = Compile(
  Type.Object(
    { overlapSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_OVERLAP_SECONDS })) },
    { additionalProperties: false },
  ),
);
const Restore = Compile(
  Type.Object({ version: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
);
const Duplicate = Compile(
  Type.Object({ name: Type.Optional(Type.String()) }, { additionalProperties: false }),
);

/** What happens to a key between its making and its end: rotate, preview, earlier versions, duplicate. */
export function registerLifecycleApi(scope: FastifyInstance, options: KeysApiOptions): void {
  const { keys, gate, audit, access, endpoints } = options;
  const views = new KeyViews(options);

  scope.post<KeyPath>("/keys/:id/rotate", documented(KEY_ROUTES.rotate), async (request, reply) => {
    const body = request.body ?? {};
    if (!Rotate.Check(body)) {
      return reply.refuse(
        refuse(
          "invalid_request",
          `send { overlapSeconds }: 0 to ${MAX_OVERLAP_SECONDS}, default ${DEFAULT_OVERLAP_SECONDS}`,
        ),
      );
    }
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    const version = versionOf(request);
    if (request.headers["if-match"] !== undefined && version === undefined) {
      return reply.refuse(missingVersion(request));
    }
    const { overlapSeconds = DEFAULT_OVERLAP_SECONDS } = body;
    const overlapUntil =
      overlapSeconds === 0 ? null : new Date(Date.now() + overlapSeconds * 1_000).toISOString();
    const detail =
      overlapUntil === null
        ? "the earlier secrets ended at once"
        : `the earlier secrets end at ${overlapUntil}`;
    const deed = { action: "key.rotated", actor: access.actorOf(request), keyId: record.id, detail } as const;
    const result = await recordUnstored(audit, deed, keys.rotate(record.id, version, { overlapUntil }));
    if (!result.ok) {
      if (result.reason === "not_found") return notFound(reply);
      if (result.reason === "version_conflict") return stale(reply, result.currentVersion);
      return reply.refuse(refuse("too_many_secrets"));
    }
    await audit.record(deed);
    reply.header("etag", etagOf(result.record)).header("cache-control", "no-store");
    return { ...(await views.one(result.record)), secret: result.secret };
  });

  scope.post<KeyPath>("/keys/:id/preview", documentedSettings(KEY_ROUTES.preview), async (request, reply) => {
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    const version = queryNumber(request, "version");
    if (version === null) return reply.refuse(refuse("invalid_request", "version is a version"));
    let read: Judgement;
    if (version !== undefined) {
      const earlier = await keys.versionOf(record.id, version);
      if (earlier === undefined) return reply.refuse(refuse("not_found", `version ${version} is not kept`));
      read = judgeSettings(earlier.settings, { endpoints, before: record.settings, isRestored: true });
    } else {
      if (!isShallow(request.body, MAX_PATCH_DEPTH))
        return reply.refuse(refuse("invalid_settings", "nested too deep"));
      const patched = isMergePatch(request);
      const forbidden = patched ? forbiddenMembers(request.body) : [];
      if (forbidden.length > 0) return reply.refuse(refuse("invalid_settings"), forbidden);
      const wanted = patched ? mergePatch(record.settings, request.body) : request.body;
      read = judgeSettings(wanted, { endpoints, before: record.settings });
    }
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const policy = compileStored(read.settings);
    const narrowed = narrowedBroadcasts(compileStored(record.settings), policy);
    return {
      ...(await gate.preview(record.id, policy)),
      settings: read.settings,
      warnings: [...read.warnings, ...narrowed],
    };
  });

  scope.get<KeyPath>("/keys/:id/versions", documented(KEY_ROUTES.versions), async (request, reply) => {
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    const before = queryNumber(request, "before");
    if (before === null) return reply.refuse(refuse("invalid_request", "before is a version"));
    const limit = queryNumber(request, "limit");
    if (limit === null || (limit !== undefined && limit > MAX_VERSIONS_PAGE)) {
      return reply.refuse(
        refuse("invalid_request", `limit is a whole number from 1 to ${MAX_VERSIONS_PAGE}`),
      );
    }
    const { items, next } = await keys.history(
      record.id,
      limit === undefined ? { before } : { before, limit },
    );
    return { current: record.version, items, next };
  });

  scope.post<KeyPath>("/keys/:id/restore", documented(KEY_ROUTES.restore), async (request, reply) => {
    const { body } = request;
    if (!Restore.Check(body))
      return reply.refuse(refuse("invalid_request", "send { version }: one of /versions"));
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    const version = versionOf(request);
    if (version === undefined) return reply.refuse(missingVersion(request));
    if (version !== record.version) return stale(reply, record.version);
    const earlier = await keys.versionOf(record.id, body.version);
    if (earlier === undefined)
      return reply.refuse(refuse("not_found", `version ${body.version} is not kept`));
    // The rules and the declared endpoints may have changed since.
    const read = judgeSettings(earlier.settings, { endpoints, before: record.settings, isRestored: true });
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const deed = {
      action: "key.restored",
      actor: access.actorOf(request),
      keyId: record.id,
      ...differences(record.settings, read.settings),
      detail: `version ${body.version} was put back`,
    } as const;
    const result = await recordUnstored(
      audit,
      deed,
      keys.update(record.id, version, () => read.settings),
    );
    if (!result.ok)
      return result.reason === "not_found" ? notFound(reply) : stale(reply, result.currentVersion);
    await audit.record({ ...deed, ...differences(record.settings, result.record.settings) });
    reply.header("etag", etagOf(result.record));
    return { ...(await views.one(result.record)), warnings: read.warnings };
  });

  scope.post<KeyPath>("/keys/:id/duplicate", documented(KEY_ROUTES.duplicate), async (request, reply) => {
    const body = request.body ?? {};
    if (!Duplicate.Check(body)) return reply.refuse(refuse("invalid_request", "send { name }, or nothing"));
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    const read = judgeSettings(
      { ...record.settings, name: body.name ?? copyName(record.settings["name"]) },
      { endpoints, before: record.settings },
    );
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const made = await keys.create(read.settings);
    const detail = `a duplicate of ${record.id}`;
    const { id, settings } = made.record;
    await audit.record({
      action: "key.created",
      actor: access.actorOf(request),
      keyId: id,
      after: settings,
      detail,
    });
    reply.code(201).header("location", `/admin/v1/keys/${id}`).header("etag", etagOf(made.record));
    reply.header("cache-control", "no-store");
    return { ...(await views.one(made.record)), secret: made.secret, warnings: read.warnings };
  });
}

function isMergePatch(request: FastifyRequest): boolean {
  return request.headers["content-type"]?.toLowerCase().startsWith("application/merge-patch+json") === true;
}

/** A whole number from 1 in the query, a version say: undefined when it is absent or empty, null when it is none. */
function queryNumber(request: FastifyRequest, name: string): number | undefined | null {
  const text = new URL(request.url, "http://admin").searchParams.get(name) ?? "";
  if (text === "") return undefined;
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : null;
}

/** No connection closes by it, but who counts on hearing this key's broadcasts will not. */
function narrowedBroadcasts(before: Policy, after: Policy): Fault[] {
  if (before.broadcastTo === "key" || after.broadcastTo === "everyone") return [];
  const message = "broadcasts of this key will reach its own connections alone, no longer everyone connected";
  return [{ pointer: "/broadcastTo", message }];
}

/** Still a name: at most 64 characters. */
function copyName(name: unknown): string {
  return `${Array.from(String(name)).slice(0, 57).join("")} (copy)`;
}
