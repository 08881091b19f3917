import { parseInstant } from "../policy/instant.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { encodeEntry } from "./entry-codec.ts";
import { DuplicateIdError, DuplicateSecretError, InvalidSecretError } from "./errors.ts";
import {
  isKeyId,
  type KeyRecord,
  liveSecrets,
  MAX_SECRETS,
  type SecretEntry,
  type SettingsDocument,
} from "./key-record.ts";
import type { Change } from "./key-storage.ts";
import type {
  CreatedKey,
  DeleteResult,
  RotateResult,
  Rotation,
  UpdateResult,
  WriteRefusal,
} from "./key-store.ts";
import { changesBetween, ownerOf, storable, undamaged } from "./record-changes.ts";
import { createSecret, digestOf, faultOfSecret, hintOf, isPossibleSecret } from "./secret.ts";
import type { SerialQueue } from "./serial-queue.ts";
import { parseRecordText, RECORD_PREFIX, SECRET_PREFIX, type StoredEntries } from "./stored-entries.ts";
import type { StoredHistory } from "./stored-history.ts";
import { usageKey } from "./stored-usage.ts";

/** What the writes of keys share. */
export type WriteContext = {
  readonly entries: StoredEntries;
  readonly history: StoredHistory;
  readonly feed: ChangeFeed;
  /** Changes of one key one after the other, so that its listeners hear of them in their order. */
  readonly queue: SerialQueue;
  readonly clock: () => number;
  readonly nextId: () => string;
};

/** What becomes of a record, with the writes that belong to it beside the record and the secrets that leave it. */
type Plan<R> = { readonly record: KeyRecord; readonly changes: readonly Change[] } | { readonly refusal: R };

/** Writes of one key. */
export class KeyWrites {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  async create(settings: SettingsDocument, options: { secret?: string; id?: string }): Promise<CreatedKey> {
    const { queue, nextId } = this.#context;
    const { secret = createSecret(), id = nextId() } = options;
    if (!isPossibleSecret(secret)) throw new InvalidSecretError(faultOfSecret(secret));
    if (!isKeyId(id)) throw new TypeError("a key id is key_ and 1 to 60 letters and digits");
    return queue.run(id, () => this.#create(id, secret, settings));
  }

  update(
    id: string,
    expectedVersion: number,
    change: (settings: SettingsDocument) => SettingsDocument,
  ): Promise<UpdateResult> {
    const { history, clock } = this.#context;
    return this.#write(id, expectedVersion, async (before) => {
      const now = clock();
      const record = storable({
        ...before,
        version: before.version + 1,
        settings: change(before.settings),
        secrets: liveSecrets(before.secrets, now),
        updatedAt: new Date(now).toISOString(),
      });
      return { record, changes: await history.changesToKeep(before) };
    });
  }

  async rotate(id: string, expectedVersion: number | undefined, rotation: Rotation): Promise<RotateResult> {
    const { overlapUntil, secret = createSecret() } = rotation;
    if (!isPossibleSecret(secret)) throw new InvalidSecretError(faultOfSecret(secret));
    const untilMs = overlapUntil === null ? Number.NEGATIVE_INFINITY : parseInstant(overlapUntil);
    if (untilMs === null) throw new TypeError("overlapUntil: an RFC 3339 date-time with a zone, or null");
    const result = await this.#write(id, expectedVersion, (before) => this.#rotate(before, secret, untilMs));
    return result.ok ? { ...result, secret } : result;
  }

  delete(id: string, expectedVersion?: number): Promise<DeleteResult> {
    const { entries, history, feed, queue } = this.#context;
    return queue.run(id, async () => {
      for (;;) {
        const text = isKeyId(id) ? await entries.text(RECORD_PREFIX + id) : undefined;
        if (text === undefined) return NOT_FOUND;
        const before = expectedVersion === undefined ? undamaged(id, text) : parseRecordText(id, text);
        if (before !== undefined && expectedVersion !== undefined && before.version !== expectedVersion) {
          return { ok: false, reason: "version_conflict", currentVersion: before.version };
        }
        const changes = [
          ...changesBetween(id, text, before, undefined),
          ...(await history.changesToForget(id)),
          { key: usageKey(id), text: undefined },
        ];
        if (await entries.commit(changes)) {
          await feed.tell({ type: "deleted", id, record: undefined });
          return { ok: true };
        }
      }
    });
  }

  /** Changes a record at a version, or at its newest, once. */
  #write<R = never>(
    id: string,
    expectedVersion: number | undefined,
    plan: (before: KeyRecord) => Promise<Plan<R>>,
  ): Promise<{ readonly ok: true; readonly record: KeyRecord } | WriteRefusal | R> {
    const { entries, feed, queue } = this.#context;
    return queue.run(id, async () => {
      // A commit is refused only when something changed after it was read; the second look says how.
      for (;;) {
        const text = isKeyId(id) ? await entries.text(RECORD_PREFIX + id) : undefined;
        if (text === undefined) return NOT_FOUND;
        const before = parseRecordText(id, text);
        if (expectedVersion !== undefined && before.version !== expectedVersion) {
          return { ok: false, reason: "version_conflict", currentVersion: before.version };
        }
        const planned = await plan(before);
        if ("refusal" in planned) return planned.refusal;
        const { record, changes } = planned;
        if (await entries.commit([...changesBetween(id, text, before, record), ...changes])) {
          await feed.tell({ type: "updated", id, record });
          return { ok: true, record };
        }
      }
    });
  }

  async #rotate(
    before: KeyRecord,
    secret: string,
    untilMs: number,
  ): Promise<Plan<RotateResult & { ok: false }>> {
    const now = this.#context.clock();
    const older = liveSecrets(
      before.secrets.map((entry) => ({ ...entry, validUntil: earlier(entry.validUntil, untilMs, now) })),
      now,
    );
    if (older.length >= MAX_SECRETS) {
      return { refusal: { ok: false, reason: "too_many_secrets", currentVersion: before.version } };
    }
    const digest = digestOf(secret);
    const owner = await ownerOf(this.#context.entries, digest);
    if (owner.id !== undefined) throw new DuplicateSecretError();
    const record: KeyRecord = {
      ...before,
      version: before.version + 1,
      secrets: [secretEntry(secret, digest), ...older],
      updatedAt: new Date(now).toISOString(),
    };
    return {
      record,
      changes: [{ key: SECRET_PREFIX + digest, expect: owner.text, text: encodeEntry(before.id) }],
    };
  }

  async #create(id: string, secret: string, settings: SettingsDocument): Promise<CreatedKey> {
    const { entries, feed, clock } = this.#context;
    const record = newRecord(id, secret, settings, clock());
    const digest = digestOf(secret);
    for (;;) {
      if ((await entries.text(RECORD_PREFIX + id)) !== undefined) throw new DuplicateIdError(id);
      // One transaction: there is never a secret without its record, or a record that its secret does not find.
      const owner = await ownerOf(entries, digest);
      if (owner.id !== undefined) throw new DuplicateSecretError();
      const changes: Change[] = [
        { key: RECORD_PREFIX + id, expect: null, text: encodeEntry(record) },
        { key: SECRET_PREFIX + digest, expect: owner.text, text: encodeEntry(id) },
      ];
      if (await entries.commit(changes)) {
        await feed.tell({ type: "created", id, record });
        return { record, secret };
      }
    }
  }
}

const NOT_FOUND: WriteRefusal = { ok: false, reason: "not_found", currentVersion: null };

/**
 * A key's first record. `now` in milliseconds since 1970.
 * @throws TypeError for settings that are no JSON object
 */
export function newRecord(id: string, secret: string, settings: SettingsDocument, now: number): KeyRecord {
  const at = new Date(now).toISOString();
  const secrets = [secretEntry(secret, digestOf(secret))];
  return storable({ schema: 1, id, version: 1, settings, secrets, createdAt: at, updatedAt: at });
}

function secretEntry(secret: string, digest: string): SecretEntry {
  return { digest, hint: hintOf(secret), validUntil: null };
}

/** The end of a secret that is to end at `untilMs`, if not before; now, if that is past. */
function earlier(validUntil: string | null, untilMs: number, now: number): string {
  const ownMs = validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(validUntil);
  return new Date(Math.min(ownMs, Math.max(untilMs, now))).toISOString();
}
