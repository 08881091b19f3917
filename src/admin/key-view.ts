import type { FastifyReply, FastifyRequest } from "fastify";
import type { Gate } from "../gate/index.ts";
import { type KeyRecord, type KeyStore, type KeyUsage, StoreUnavailableError } from "../keys/index.ts";
import { type Refusal, refuse } from "../protocol/index.ts";
import { KeyStateReader } from "./key-state.ts";
import type { KeySummary } from "./key-summary.ts";
import type { KeyItem, KeyView } from "./schemas/key-view.ts";

export type { KeyView } from "./schemas/key-view.ts";

type ShownKey = Pick<
  KeyView,
  "id" | "version" | "state" | "settings" | "secrets" | "createdAt" | "updatedAt"
>;

export class KeyViews {
  readonly #keys: KeyStore;
  readonly #gate: Gate;

  constructor({ keys, gate }: { readonly keys: KeyStore; readonly gate: Gate }) {
    this.#keys = keys;
    this.#gate = gate;
  }

  /** Keys for a list. */
  async many(summaries: readonly KeySummary[]): Promise<KeyItem[]> {
    const usage = await this.#usageOf(summaries.map(({ id }) => id));
    const nowMs = Date.now();
    return summaries.map(({ sizes, ...summary }) => ({
      ...this.#view({ ...summary, state: summary.state.at(nowMs) }, usage.get(summary.id)),
      sizes,
    }));
  }

  async one(record: KeyRecord): Promise<KeyView> {
    // What was counted but not written yet is part of one key's picture.
    await this.#gate.flushUsage();
    const usage = await this.#usageOf([record.id]);
    const { id, version, settings, createdAt, updatedAt } = record;
    const secrets = record.secrets.map(({ hint, validUntil }) => ({ hint, validUntil }));
    const state = KeyStateReader.of(record).at(Date.now());
    const shown = { id, version, settings, createdAt, updatedAt, secrets, state };
    return this.#view(shown, usage.get(id));
  }

  /** A view may carry the only copy of a new secret: counts that cannot be read do not keep it back. */
  async #usageOf(ids: readonly string[]): Promise<ReadonlyMap<string, KeyUsage | undefined>> {
    try {
      return await this.#keys.usageOf(ids);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return new Map();
      throw error;
    }
  }

  #view(key: ShownKey, usage: KeyUsage | undefined): KeyView {
    const { id, version, state, settings, secrets, createdAt, updatedAt } = key;
    return {
      id,
      hint: secrets[0]?.hint ?? null,
      version,
      state,
      settings,
      secrets,
      createdAt,
      updatedAt,
      lastUsedAt: usage?.lastUsedAt ?? null,
      allowed: usage?.allowed ?? 0,
      denied: usage?.denied ?? {},
      connections: this.#gate.connectionsOf(id),
      unstored: this.#keys.unstoredOf(id) ?? null,
    };
  }
}

export function etagOf({ version }: { readonly version: number }): string {
  return `"${version}"`;
}

/** `If-Match: "<version>"`: undefined when it is absent or not one version. */
export function versionOf(request: FastifyRequest): number | undefined {
  const match = /^"([1-9][0-9]{0,14})"$/.exec(request.headers["if-match"]?.trim() ?? "");
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** 428 without the header (RFC 6585), 400 with one that names no version: no wildcard, no weak tag, one version. */
export function missingVersion(request: FastifyRequest): Refusal {
  if (request.headers["if-match"] === undefined) return refuse("version_required");
  return refuse("invalid_request", 'If-Match takes the version that you read, in quotes: "3"');
}

export function notFound(reply: FastifyReply): FastifyReply {
  return reply.refuse(refuse("not_found", "there is no such key"));
}

export function stale(reply: FastifyReply, currentVersion: number | null): FastifyReply {
  return reply.refuse(refuse("version_conflict"), undefined, { currentVersion });
}
