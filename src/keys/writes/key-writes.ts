import type { SerialQueue } from "../../lib/serial-queue.ts";
import { isNarrowing } from "../../policy/index.ts";
import { parseInstant } from "../../policy/instant.ts";
import { encodeEntry } from "../../store/entry-codec.ts";
import type { Change } from "../../store/key-storage.ts";
import type { StoredHistory } from "../history/stored-history.ts";
import type {
  CreatedKey,
  DeleteResult,
  RotateResult,
  Rotation,
  UpdateResult,
  WriteRefusal,
} from "../key-store.ts";
import {
  DuplicateIdError,
  DuplicateSecretError,
  InvalidSecretError,
  UnstoredChangeError,
} from "../records/errors.ts";
import {
  isKeyId,
  type KeyRecord,
  liveSecrets,
  MAX_SECRETS,
  type SecretEntry,
  type SettingsDocument,
} from "../records/key-record.ts";
import { changesBetween, ownerOf, storable, undamaged } from "../records/record-changes.ts";
import {
  parseRecordText,
  RECORD_PREFIX,
  SECRET_PREFIX,
  type StoredEntries,
} from "../records/stored-entries.ts";
import { createSecret, digestOf, faultOfSecret, hintOf, isPossibleSecret } from "../secret/secret.ts";
import type { UnstoredChange, UnstoredChanges } from "../unstored/unstored-changes.ts";
import { usageKey } from "../usage/stored-usage.ts";
import type { ChangeFeed } from "./change-feed.ts";

/** What the writes of keys share. */
export type WriteContext = {
  readonly entries: StoredEntries;
  readonly history: StoredHistory;
  readonly feed: ChangeFeed;
  readonly unstored: UnstoredChanges;
  /** Changes of one key one after the other, so that its listeners hear of them in their order. */
  readonly queue: SerialQueue;
  readonly clock: () => number;
  readonly nextId: () => string;
};

/**
 * What becomes of a record, with the writes that belong to it beside the record and the secrets that leave it. `narrowed`:
 * what of it is put in force where the store does not take it; undefined where it does not take rights away.
 */
type Plan<R> =
  | {
      readonly record: KeyRecord;
      readonly changes: readonly Change[];
      readonly narrowed: (() => KeyRecord | undefined) | undefined;
    }
  | { readonly refusal: R };

/** Writes of one key. */
export class KeyWrites {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
    context.unstored.retryWith((id) => this.#storeUnstored(id));
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
    return this.#write(id, expectedVersion, "changed", async (before, stored) => {
      const now = clock();
      const record = storable({
        ...before,
        version: before.version + 1,
        settings: change(before.settings),
        secrets: liveSecrets(before.secrets, now),
        updatedAt: new Date(now).toISOString(),
      });
      const narrowed = () =>
        isNarrowing(before.settings, record.settings)
          ? { ...before, schema: record.schema, settings: record.settings }
          : undefined;
      return { record, changes: await history.changesToKeep(stored), narrowed };
    });
  }

  async rotate(id: string, expectedVersion: number | undefined, rotation: Rotation): Promise<RotateResult> {
    const { overlapUntil, secret = createSecret() } = rotation;
    if (!isPossibleSecret(secret)) throw new InvalidSecretError(faultOfSecret(secret));
    const untilMs = overlapUntil === null ? Number.NEGATIVE_INFINITY : parseInstant(overlapUntil);
    if (untilMs === null) throw new TypeError("overlapUntil: an RFC 3339 date-time with a zone, or null");
    const result = await this.#write(id, expectedVersion, "rotated", (before) =>
      this.#rotate(before, secret, untilMs),
    );
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
        const narrowed = () => before && { ...before, ...NO_RIGHTS };
        if (await this.#commit(changes, before, "deleted", narrowed)) {
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
    change: UnstoredChange["change"],
    plan: (before: KeyRecord, stored: KeyRecord) => Promise<Plan<R>>,
  ): Promise<{ readonly ok: true; readonly record: KeyRecord } | WriteRefusal | R> {
    const { entries, feed, queue, unstored } = this.#context;
    return queue.run(id, async () => {
      // A commit is refused only when something changed after it was read; the second look says how.
      for (;;) {
        const text = isKeyId(id) ? await entries.text(RECORD_PREFIX + id) : undefined;
        if (text === undefined) return NOT_FOUND;
        const stored = parseRecordText(id, text);
        if (unstored.isDeleted(stored)) return NOT_FOUND;
        if (expectedVersion !== undefined && stored.version !== expectedVersion) {
          return { ok: false, reason: "version_conflict", currentVersion: stored.version };
        }
        const planned = await plan(unstored.effective(stored), stored);
        if ("refusal" in planned) return planned.refusal;
        const { record, narrowed } = planned;
        const changes = [...changesBetween(id, text, stored, record), ...planned.changes];
        if (await this.#commit(changes, stored, change, narrowed)) {
          await feed.tell({ type: "updated", id, record });
          return { ok: true, record };
        }
      }
    });
  }

  /**
   * A commit that puts in force what takes rights away, when the store is away.
   * @throws UnstoredChangeError then, and StoreUnavailableError for everything else that the store does not take
   */
  async #commit(
    changes: readonly Change[],
    stored: KeyRecord | undefined,
    change: UnstoredChange["change"],
    narrowed: (() => KeyRecord | undefined) | undefined,
  ): Promise<boolean> {
    const { entries, unstored, feed, clock } = this.#context;
    try {
      const done = await entries.commit(changes);
      if (done && stored !== undefined) unstored.settle(stored.id, "stored");
      return done;
    } catch (error) {
      const record = stored === undefined ? undefined : narrowed?.();
      if (stored === undefined || record === undefined) throw error;
      const enforced = unstored.enforce(stored, record, change, clock());
      if (enforced === undefined) throw error;
      await feed.tell({ type: "updated", id: stored.id, record: enforced });
      throw new UnstoredChangeError({ cause: error });
    }
  }

  /** Store what is in force of a key, unless somebody has written it since. */
  #storeUnstored(id: string): Promise<void> {
    const { entries, history, feed, queue, unstored, clock } = this.#context;
    return queue.run(id, async () => {
      const text = await entries.text(RECORD_PREFIX + id);
      const stored = text === undefined ? undefined : undamaged(id, text);
      const before = stored && unstored.effective(stored);
      if (text === undefined || stored === undefined || before === stored || before === undefined) {
        unstored.settle(id, "overtaken");
        return;
      }
      const isDeleted = unstored.isDeleted(stored);
      const updatedAt = new Date(clock()).toISOString();
      const record = isDeleted ? undefined : { ...before, version: stored.version + 1, updatedAt };
      const more = isDeleted
        ? [...(await history.changesToForget(id)), { key: usageKey(id), text: undefined }]
        : await history.changesToKeep(stored);
      // Refused: somebody wrote it meanwhile, which the next try sees.
      if (!(await entries.commit([...changesBetween(id, text, stored, record), ...more]))) return;
      unstored.settle(id, "stored");
      await feed.tell({ type: isDeleted ? "deleted" : "updated", id, record });
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
      // Nobody has been told the new secret: only what ends is put in force.
      narrowed: untilMs <= now ? () => ({ ...before, secrets: [] }) : undefined,
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

/** What is left of a key whose deletion is not stored yet: something to show, and nothing that it grants. */
const NO_RIGHTS = { secrets: [] } as const;

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
