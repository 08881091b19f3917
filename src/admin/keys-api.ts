import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isShallow } from "../channels/index.ts";
import type { KeyRecord, KeyStore } from "../keys/index.ts";
import {
  checkEndpointEntries,
  type DeclaredEndpoint,
  PolicyError,
  parseSettings,
  type Settings,
} from "../policy/index.ts";
import { type Refusal, refuse } from "../protocol/index.ts";
import { forbiddenMembers, mergePatch } from "./merge-patch.ts";

export type KeysApiOptions = { readonly keys: KeyStore; readonly endpoints: readonly DeclaredEndpoint[] };

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

/** Deeper than any settings. */
const MAX_PATCH_DEPTH = 50;

type KeyPath = { Params: { id: string } };

/** `/keys`: create, list, read, change and delete API keys. Secrets leave the server once, in the answer to a create. */
export function registerKeysApi(scope: FastifyInstance, { keys, endpoints }: KeysApiOptions): void {
  scope.post("/keys", async (request, reply) => {
    const read = readSettings(request.body, endpoints);
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const { record, secret } = await keys.create(read.settings);
    reply.code(201).header("location", `/admin/v1/keys/${record.id}`).header("etag", etagOf(record));
    reply.header("cache-control", "no-store");
    return { ...viewOf(record), secret, warnings: read.warnings };
  });

  scope.get("/keys", async (request, reply) => {
    const page = pageOf(request);
    if (page === undefined) {
      return reply.refuse(refuse("invalid_request", `limit is a whole number from 1 to ${PAGE_MAX}`));
    }
    const { items, next, unreadable } = await keys.list(page);
    return { items: items.map(viewOf), next, ...(unreadable.length > 0 ? { unreadable } : {}) };
  });

  scope.get<KeyPath>("/keys/:id", async (request, reply) => {
    const record = await keys.get(request.params.id);
    if (record === undefined) return notFound(reply);
    reply.header("etag", etagOf(record));
    return viewOf(record);
  });

  scope.patch<KeyPath>("/keys/:id", async (request, reply) => {
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
    const read = readSettings(mergePatch(record.settings, patch), endpoints);
    if ("faults" in read) return reply.refuse(refuse("invalid_settings"), read.faults);
    const result = await keys.update(record.id, version, () => read.settings);
    if (!result.ok)
      return result.reason === "not_found" ? notFound(reply) : stale(reply, result.currentVersion);
    reply.header("etag", etagOf(result.record));
    return { ...viewOf(result.record), warnings: read.warnings };
  });

  scope.delete<KeyPath>("/keys/:id", async (request, reply) => {
    const version = versionOf(request);
    if (version === undefined && request.headers["if-match"] !== undefined)
      return reply.refuse(missingVersion(request));
    const result = await keys.delete(request.params.id, version);
    if (!result.ok)
      return result.reason === "not_found" ? notFound(reply) : stale(reply, result.currentVersion);
    return reply.code(204).send();
  });
}

type Read =
  | { readonly settings: Settings; readonly warnings: readonly { pointer: string; message: string }[] }
  | { readonly faults: readonly { pointer: string; message: string }[] };

function readSettings(input: unknown, endpoints: readonly DeclaredEndpoint[]): Read {
  try {
    const settings = parseSettings(input);
    const { faults, warnings } = checkEndpointEntries(settings, endpoints);
    return faults.length > 0 ? { faults } : { settings, warnings };
  } catch (error) {
    if (error instanceof PolicyError) return { faults: error.faults };
    throw error;
  }
}

/** A key as its operators see it: no digest, and of the secret only what helps to recognise it. */
function viewOf(record: KeyRecord) {
  const { id, version, settings, createdAt, updatedAt } = record;
  return { id, hint: record.secrets[0]?.hint ?? null, version, settings, createdAt, updatedAt };
}

function etagOf({ version }: { version: number }): string {
  return `"${version}"`;
}

/** `If-Match: "<version>"`: undefined when it is absent or not one version. */
function versionOf(request: FastifyRequest): number | undefined {
  const match = /^"([1-9][0-9]{0,14})"$/.exec(request.headers["if-match"]?.trim() ?? "");
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** 428 without the header (RFC 6585), 400 with one that names no version: no wildcard, no weak tag, one version. */
function missingVersion(request: FastifyRequest): Refusal {
  if (request.headers["if-match"] === undefined) return refuse("version_required");
  return refuse("invalid_request", 'If-Match takes the version that you read, in quotes: "3"');
}

function pageOf(request: FastifyRequest): { limit: number; after: string | undefined } | undefined {
  const query = new URL(request.url, "http://admin").searchParams;
  const limit = query.get("limit") ?? String(PAGE_DEFAULT);
  if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > PAGE_MAX) return undefined;
  return { limit: Number(limit), after: query.get("after") ?? undefined };
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.refuse(refuse("not_found", "there is no such key"));
}

function stale(reply: FastifyReply, currentVersion: number): FastifyReply {
  return reply.refuse(refuse("version_conflict"), undefined, { currentVersion });
}
