import { faultOf, type Logger } from "./log.ts";

/** Who did something over the admin API, as far as the server can tell. */
export type Actor = {
  /** How they proved it. */
  readonly by: "admin-token" | "session" | "store-access";
  /** The program that they say they use. */
  readonly client: "cli" | "console" | "api";
  readonly address: string | null;
};

export type AdminAction =
  | "key.created"
  | "key.changed"
  | "key.rotated"
  | "key.restored"
  | "key.deleted"
  | "keys.imported"
  | "keys.exported"
  | "admin-token.rotated"
  | "session.opened"
  | "connection.closed"
  | "channel.published";

/** One thing that was done. `before` and `after` hold the settings that differ, never a secret. */
export type AuditRecord = {
  readonly action: AdminAction;
  readonly actor: Actor;
  readonly keyId?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly detail?: string | undefined;
};

/** A request that was refused: a sample, since anybody can cause any number of them. */
export type Denial = {
  readonly code: string;
  readonly keyId: string | null;
  readonly action: string;
  readonly origin: string | null;
  readonly ip: string | null;
  readonly endpoint?: string | undefined;
  readonly channel?: string | undefined;
};

/** Where entries are kept: durable, bounded, newest first. */
export interface AuditStore {
  append(entries: readonly { at: string; text: string }[], options: { durable: boolean }): Promise<void>;
  page(options: { limit: number; before?: string | undefined }): Promise<{
    items: readonly { id: string; at: string; text: string }[];
    next: string | null;
  }>;
}

export type AuditFilter = { readonly keyId?: string | undefined; readonly action?: string | undefined };
/** An entry has the members of its action, too. */
export type AuditEntry = { readonly id: string; readonly at: string; readonly action: string };
export type AuditPage = { readonly items: readonly AuditEntry[]; readonly next: string | null };

/** Denials that are written at most; others are counted and said with the next one of their kind. */
const DENIALS_PER_SECOND = 5;
const SAME_KIND_EVERY_MS = 10_000;
const MAX_KINDS = 1_000;
const FLUSH_MS = 1_000;
const MAX_TEXT_BYTES = 16_000;
/** Entries that one filtered request looks through; its cursor goes on from there. */
const MAX_SCANNED = 5_000;
const SCAN_PAGE = 500;

/** The audit: what was done, written before it is answered, and samples of what was refused. */
export class Audit {
  readonly #store: AuditStore;
  readonly #log: Logger;
  readonly #now: () => number;
  /** By key and code, bounded: when the last one was written and how many were not since. */
  readonly #kinds = new Map<string, { writtenAtMs: number; suppressed: number }>();
  #pending: { at: string; text: string }[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #windowStartMs = 0;
  #inWindow = 0;

  constructor(store: AuditStore, log: Logger, now: () => number = Date.now) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
  }

  /**
   * Write what was done. Resolves when it is on disk. Never rejects: what was done is done, so an entry that cannot
   * be kept goes to the log instead.
   */
  async record(record: AuditRecord): Promise<void> {
    const at = new Date(this.#now()).toISOString();
    try {
      await this.#store.append([{ at, text: textOf(record) }], { durable: true });
    } catch (error) {
      this.#log.error({ fault: faultOf(error), entry: record }, "an entry of the audit could not be kept");
    }
  }

  /** Note a refusal, perhaps. Costs little, never waits, never throws. */
  denied(denial: Denial): void {
    const nowMs = this.#now();
    const name = `${denial.keyId ?? ""} ${denial.code}`;
    const kind = this.#kinds.get(name) ?? { writtenAtMs: Number.NEGATIVE_INFINITY, suppressed: 0 };
    if (nowMs - kind.writtenAtMs < SAME_KIND_EVERY_MS || !this.#mayWrite(nowMs)) {
      kind.suppressed += 1;
      if (this.#kinds.has(name) || this.#kinds.size < MAX_KINDS) this.#kinds.set(name, kind);
      return;
    }
    const { suppressed } = kind;
    this.#kinds.delete(name);
    this.#kinds.set(name, { writtenAtMs: nowMs, suppressed: 0 });
    if (this.#kinds.size > MAX_KINDS) {
      for (const oldest of this.#kinds.keys()) {
        this.#kinds.delete(oldest);
        break;
      }
    }
    const more = suppressed === 0 ? {} : { alike: suppressed };
    const { code, keyId, action, ip } = denial;
    const cut = (text: string | null | undefined): string | undefined => text?.slice(0, 300);
    const [origin, endpoint, channel] = [cut(denial.origin), cut(denial.endpoint), cut(denial.channel)];
    this.#pending.push({
      at: new Date(nowMs).toISOString(),
      text: textOf({ action: "denied", wanted: action, code, keyId, ip, origin, endpoint, channel, ...more }),
    });
    this.#flushTimer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  /** Newest first. With a filter a page may be short and still have a `next`. */
  async page(limit: number, before: string | undefined, filter: AuditFilter): Promise<AuditPage> {
    await this.#flush();
    const items: AuditEntry[] = [];
    let cursor = before;
    for (let scanned = 0; scanned < MAX_SCANNED; ) {
      const page = await this.#store.page({ limit: SCAN_PAGE, before: cursor });
      for (const { id, at, text } of page.items) {
        scanned += 1;
        cursor = id;
        const entry = parse(text);
        if (!matches(entry, filter)) continue;
        items.push({ id, at, ...entry, action: String(entry["action"]) });
        if (items.length === limit) return { items, next: id };
      }
      if (page.next === null) return { items, next: null };
    }
    return { items, next: cursor ?? null };
  }

  /** Write what is still held back. */
  async close(): Promise<void> {
    await this.#flush();
  }

  #mayWrite(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= 1_000) {
      this.#windowStartMs = nowMs;
      this.#inWindow = 0;
    }
    this.#inWindow += 1;
    return this.#inWindow <= DENIALS_PER_SECOND;
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const entries = this.#pending;
    if (entries.length === 0) return;
    this.#pending = [];
    try {
      await this.#store.append(entries, { durable: false });
    } catch (error) {
      this.#log.error(
        { fault: faultOf(error), lost: entries.length },
        "refusals could not be written to the audit",
      );
    }
  }
}

function textOf(entry: object): string {
  const text = JSON.stringify(entry);
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  // Lists of thousands: say that they changed, and where they can be read.
  const detail = "detail" in entry && typeof entry.detail === "string" ? `${entry.detail}; ` : "";
  const note = `${detail}too large to show: see the key's versions`;
  return JSON.stringify({ ...entry, before: undefined, after: undefined, detail: note });
}

/** A damaged entry does not hide the others. */
function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value));
  } catch {
    // Said below.
  }
  return { action: "unreadable" };
}

function matches(entry: Record<string, unknown>, { keyId, action }: AuditFilter): boolean {
  return (
    (keyId === undefined || entry["keyId"] === keyId) && (action === undefined || entry["action"] === action)
  );
}
