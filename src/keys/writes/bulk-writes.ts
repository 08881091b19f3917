import { isObject } from "../../lib/json-object.ts";
import { TurnSlices } from "../../lib/turn-slices.ts";
import type { Fault, Judgement } from "../../policy/index.ts";
import { decodeEntry, encodeEntry } from "../../store/entry-codec.ts";
import type { Change } from "../../store/key-storage.ts";
import type { ImportOptions, ImportResult, ListFault } from "../backup/key-backup.ts";
import { parseExported } from "../backup/parse-exported.ts";
import type { CreatedKey, CreateManyResult, KeyChange, NewKey } from "../key-store.ts";
import { UnreadableRecordError } from "../records/errors.ts";
import { type KeyRecord, liveSecrets, type SettingsDocument } from "../records/key-record.ts";
import { ownerOf, storable, undamaged } from "../records/record-changes.ts";
import { RECORD_PREFIX, SECRET_PREFIX } from "../records/stored-entries.ts";
import { createSecret, faultOfSecret, isPossibleSecret } from "../secret/secret.ts";
import { newRecord, type WriteContext } from "./key-writes.ts";

/** A record of the list, and where in the list its secrets stand. */
type Listed = {
  readonly index: number;
  readonly record: KeyRecord;
  readonly secretPointers: readonly string[];
};
/** The same with what is stored under its id. */
type Planned = Listed & { readonly text: string | undefined; readonly before: KeyRecord | undefined };

/** Writes of many keys in one transaction. */
export class BulkWrites {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  async createMany(keys: readonly NewKey[]): Promise<CreateManyResult> {
    const { nextId, clock, queue } = this.#context;
    const impossible: ListFault[] = [];
    const created: CreatedKey[] = [];
    const planned: Planned[] = [];
    const slices = new TurnSlices();
    for (const [index, { settings, secret = createSecret() }] of keys.entries()) {
      await slices.pause();
      const pointer = `/${index}/secret`;
      if (!isPossibleSecret(secret)) {
        impossible.push({ index, pointer, message: faultOfSecret(secret) });
        continue;
      }
      const record = newRecord(nextId(), secret, settings, clock());
      created.push({ record, secret });
      planned.push({ index, record, secretPointers: [pointer], text: undefined, before: undefined });
    }
    return queue.runAll(idsOf(planned), async () => {
      for (;;) {
        const secrets = await this.#takeSecrets(planned);
        const faults = inOrder([...impossible, ...secrets.faults]);
        if (faults.length > 0) return { ok: false, faults };
        if (await this.#commit(planned, secrets.changes)) return { ok: true, created };
      }
    });
  }

  async importAll(entries: readonly unknown[], options: ImportOptions): Promise<ImportResult> {
    const { listed, faults, warnings } = await readList(entries, options.validate, this.#context.clock());
    return this.#context.queue.runAll(idsOf(listed), async () => {
      for (;;) {
        const { planned, skipped, conflicts } = await this.#plan(listed, options.onExisting);
        const secrets = await this.#takeSecrets(planned);
        const found = inOrder([...faults, ...conflicts, ...secrets.faults]);
        if (found.length > 0) return { ok: false, faults: found };
        if (await this.#commit(planned, secrets.changes)) {
          return {
            ok: true,
            created: idsOf(planned.filter(({ text }) => text === undefined)),
            replaced: idsOf(planned.filter(({ text }) => text !== undefined)),
            skipped: idsOf(skipped),
            ...(warnings.length > 0 ? { warnings } : {}),
          };
        }
      }
    });
  }

  /** What each record becomes, by what is stored under its id. */
  async #plan(listed: readonly Listed[], onExisting: ImportOptions["onExisting"]) {
    const updatedAt = new Date(this.#context.clock()).toISOString();
    const planned: Planned[] = [];
    const skipped: Listed[] = [];
    const conflicts: ListFault[] = [];
    const slices = new TurnSlices();
    for (const one of listed) {
      await slices.pause();
      const { index, record } = one;
      const text = await this.#context.entries.text(RECORD_PREFIX + record.id);
      if (text === undefined) planned.push({ ...one, text, before: undefined });
      else if (onExisting === "skip") skipped.push(one);
      else if (onExisting === "refuse") {
        conflicts.push({ index, pointer: `/${index}/id`, message: "there is a key with this id already" });
      } else {
        const before = readBefore(record.id, text);
        if (before === "newer_schema") {
          const message = "the key with this id was written by a newer version of this program";
          conflicts.push({ index, pointer: `/${index}/id`, message });
          continue;
        }
        // Above both, so that whoever remembers either of them sees a change.
        const version = Math.max(record.version, before?.version ?? versionIn(text)) + 1;
        planned.push({ ...one, record: { ...record, version, updatedAt }, text, before });
      }
    }
    return { planned, skipped, conflicts };
  }

  /** The entries of the secrets, those that come and those that leave; faults where two keys would have one. */
  async #takeSecrets(planned: readonly Planned[]): Promise<{ changes: Change[]; faults: ListFault[] }> {
    const replaced = new Set(idsOf(planned.filter(({ text }) => text !== undefined)));
    const taken = new Map<string, string>();
    const faults: ListFault[] = [];
    const changes: Change[] = [];
    const slices = new TurnSlices();
    for (const { index, record, secretPointers } of planned) {
      await slices.pause();
      for (const [n, { digest }] of record.secrets.entries()) {
        const pointer = secretPointers[n] ?? `/${index}`;
        const first = taken.get(digest);
        const owner = await ownerOf(this.#context.entries, digest);
        if (first !== undefined) {
          faults.push({ index, pointer, message: `is the same secret as ${first}` });
        } else if (owner.id !== undefined && !replaced.has(owner.id)) {
          faults.push({ index, pointer, message: "another key has this secret already" });
        } else {
          changes.push({ key: SECRET_PREFIX + digest, expect: owner.text, text: encodeEntry(record.id) });
        }
        if (first === undefined) taken.set(digest, pointer);
      }
    }
    // Not those that go from one key of the list to another.
    const left = planned
      .flatMap(({ before }) => before?.secrets ?? [])
      .filter(({ digest }) => !taken.has(digest));
    changes.push(...left.map(({ digest }) => ({ key: SECRET_PREFIX + digest, text: undefined })));
    return { changes, faults };
  }

  async #commit(planned: readonly Planned[], secrets: readonly Change[]): Promise<boolean> {
    const { entries, history, feed } = this.#context;
    const changes = [...secrets];
    const told: KeyChange[] = [];
    const slices = new TurnSlices();
    for (const { record, text, before } of planned) {
      await slices.pause();
      const { id } = record;
      changes.push({ key: RECORD_PREFIX + id, expect: text ?? null, text: encodeEntry(record) });
      if (before !== undefined) changes.push(...(await history.changesToKeep(before)));
      told.push({ type: text === undefined ? "created" : "updated", id, record });
    }
    if (!(await entries.commit(changes))) return false;
    await feed.tellAll(told);
    return true;
  }
}

/** Parses the list; secrets whose time is over are left out. */
async function readList(
  entries: readonly unknown[],
  validate: ImportOptions["validate"],
  now: number,
): Promise<{ listed: Listed[]; faults: ListFault[]; warnings: ListFault[] }> {
  const listed: Listed[] = [];
  const faults: ListFault[] = [];
  const warnings: ListFault[] = [];
  const slices = new TurnSlices();
  const firstOf = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    await slices.pause();
    const own: Fault[] = [];
    const parsed = parseExported(entry, `/${index}`, own);
    const judged = parsed && judgementOf(parsed.settings, validate);
    const inList = ({ pointer, message }: Fault) => ({ pointer: `/${index}/settings${pointer}`, message });
    if (judged !== undefined && "faults" in judged) own.push(...judged.faults.map(inList));
    else warnings.push(...(judged?.warnings ?? []).map((warning) => ({ index, ...inList(warning) })));
    const first = parsed && firstOf.get(parsed.id);
    if (first !== undefined) own.push({ pointer: `/${index}/id`, message: `is the same id as /${first}/id` });
    faults.push(...own.map((fault) => ({ index, ...fault })));
    if (parsed === undefined || first !== undefined) continue;
    firstOf.set(parsed.id, index);
    const secrets = liveSecrets(parsed.secrets, now);
    const secretPointers = secrets.map((one) => `/${index}/secrets/${parsed.secrets.indexOf(one)}/digest`);
    const settings = judged !== undefined && "settings" in judged ? judged.settings : parsed.settings;
    listed.push({ index, record: storable({ ...parsed, settings, secrets }), secretPointers });
  }
  return { listed, faults, warnings };
}

function judgementOf(settings: SettingsDocument, validate: ImportOptions["validate"]): Judgement {
  const said = validate?.(settings) ?? [];
  if ("faults" in said || "settings" in said) return said;
  return said.length > 0 ? { faults: said } : { settings, warnings: [] };
}

/** Undefined for a damaged record, which an import repairs. */
function readBefore(id: string, text: string): KeyRecord | "newer_schema" | undefined {
  try {
    return undamaged(id, text);
  } catch (error) {
    if (error instanceof UnreadableRecordError) return "newer_schema";
    throw error;
  }
}

/** What can still be read of a damaged record's version. */
function versionIn(text: string): number {
  try {
    const value = decodeEntry(text);
    const version = isObject(value) ? value["version"] : undefined;
    return typeof version === "number" && Number.isSafeInteger(version) ? version : 0;
  } catch {
    return 0;
  }
}

function idsOf(list: readonly Listed[]): string[] {
  return list.map(({ record }) => record.id);
}

function inOrder(faults: ListFault[]): ListFault[] {
  return faults.sort((one, other) => one.index - other.index);
}
