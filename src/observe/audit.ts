import { faultOf, type Logger } from "./log.ts";
import { RefusalSampler } from "./refusal-sampler.ts";

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

/** A request to the admin listener that was refused: what was asked, never with what. */
export type AdminRefusal = {
  readonly code: string;
  readonly ip: string | null;
  readonly origin: string | null;
  /** Method and route. */
  readonly endpoint: string;
  /** The name under which it came, where that is what is wrong. */
  readonly host?: string | undefined;
};

type LogText = { readonly at: string; readonly text: string };
type PageOptions = { readonly limit: number; readonly before?: string | undefined };
type LogPage = {
  readonly items: readonly (LogText & { readonly id: string })[];
  readonly next: string | null;
};

/** A place in the chain of deeds: the number of an entry, and the digest of its canonical text. */
export type ChainPlace = { readonly sequence: number; readonly digest: string };
export type ChainCheck = {
  readonly intact: boolean;
  readonly checked: number;
  readonly first: number;
  readonly head: ChainPlace;
  readonly broken: { readonly sequence: number; readonly id: string; readonly reason: string } | null;
};

/** Where entries are kept, newest first: deeds by time and chained, refusals bounded by number. */
export interface AuditStore {
  readonly deeds: {
    append(entries: readonly LogText[]): Promise<{ readonly bytes: number }>;
    page(options: PageOptions): Promise<LogPage>;
    verify(known?: ChainPlace): Promise<ChainCheck>;
    adopt(isDeed: (text: string) => boolean): Promise<void>;
  };
  readonly log: {
    append(entries: readonly LogText[], options: { durable: boolean }): Promise<void>;
    page(options: PageOptions): Promise<LogPage>;
  };
}

export type AuditKind = "deeds" | "refusals";
export type AuditFilter = {
  readonly kind: AuditKind;
  readonly keyId?: string | undefined;
  readonly action?: string | undefined;
};
/** An entry has the members of its action, too. */
export type AuditEntry = { readonly id: string; readonly at: string; readonly action: string };
export type AuditPage = { readonly items: readonly AuditEntry[]; readonly next: string | null };

/** The action of every refusal. */
const DENIED = "denied";
/** Refusals that are written at most; others are counted and said with the next one of their kind. */
const REFUSALS_PER_SECOND = 5;
const FLUSH_MS = 1_000;
const MAX_TEXT_BYTES = 16_000;
/** Deeds are never let go of for their size: beyond this the log says so, and again at each doubling. */
const WARN_BYTES = 256 * 1024 * 1024;
/** Entries that one filtered request looks through; its cursor goes on from there. */
const MAX_SCANNED = 5_000;
const SCAN_PAGE = 500;

/** The audit: what was done, written before it is answered, and samples of what was refused. */
export class Audit {
  readonly #store: AuditStore;
  readonly #log: Logger;
  readonly #now: () => number;
  /** Apart, so that a flood at one listener hides nothing that happens at the other. */
  readonly #denials = new RefusalSampler(REFUSALS_PER_SECOND);
  readonly #adminRefusals = new RefusalSampler(REFUSALS_PER_SECOND);
  #pending: LogText[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #adopted: Promise<void> | undefined;
  #check: Promise<ChainCheck> | undefined;
  #warnAtBytes = WARN_BYTES;

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
      await this.#adopt();
      const { bytes } = await this.#store.deeds.append([{ at, text: textOf(record) }]);
      this.#warnOf(bytes);
    } catch (error) {
      this.#log.error({ fault: faultOf(error), entry: record }, "an entry of the audit could not be kept");
    }
  }

  /** Note a refusal, perhaps. Costs little, never waits, never throws. */
  denied(denial: Denial): void {
    const nowMs = this.#now();
    const alike = this.#denials.take(`${denial.keyId ?? ""} ${denial.code}`, nowMs);
    if (alike === undefined) return;
    const { code, keyId, action, ip } = denial;
    const [origin, endpoint, channel] = [cut(denial.origin), cut(denial.endpoint), cut(denial.channel)];
    this.#push(nowMs, { wanted: action, code, keyId, ip, origin, endpoint, channel, ...more(alike) });
  }

  /** Note a refusal of the admin listener, perhaps, also in the log: somebody may be trying tokens. */
  refusedAdmin(refusal: AdminRefusal): void {
    const nowMs = this.#now();
    const { code, ip } = refusal;
    const alike = this.#adminRefusals.take(`${ip ?? ""} ${code}`, nowMs);
    if (alike === undefined) return;
    const [origin, endpoint, host] = [cut(refusal.origin), cut(refusal.endpoint), cut(refusal.host)];
    const said = { code, ip, origin, endpoint, host, ...more(alike) };
    this.#log.warn(said, "a request to the admin listener was refused");
    this.#push(nowMs, { wanted: "admin", keyId: null, ...said });
  }

  /** Newest first. With a filter a page may be short and still have a `next`. */
  async page(limit: number, before: string | undefined, filter: AuditFilter): Promise<AuditPage> {
    if (filter.kind === "refusals") await this.#flush();
    else await this.#adopt();
    const { [filter.kind === "refusals" ? "log" : "deeds"]: log } = this.#store;
    const items: AuditEntry[] = [];
    let cursor = before;
    for (let scanned = 0; scanned < MAX_SCANNED; ) {
      const page = await log.page({ limit: SCAN_PAGE, before: cursor });
      for (const { id, at, text } of page.items) {
        scanned += 1;
        cursor = id;
        const entry = parse(text);
        if (!matches(entry, filter)) continue;
        items.push({ id, at, ...entry, action: String(entry["action"]) });
        if (items.length === limit) return { items, next: id };
      }
      if (page.next === null) return { items, next: null };
      // Also past a page of entries of which none can be read.
      cursor = page.next;
    }
    return { items, next: cursor ?? null };
  }

  /** Look at every link of the deeds' chain. Who asks at the same time gets the same answer, unless a noted place is to be found. */
  async verify(known?: ChainPlace): Promise<ChainCheck> {
    await this.#adopt();
    if (known !== undefined) return this.#store.deeds.verify(known);
    this.#check ??= this.#store.deeds.verify().finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  /** Write what is still held back. */
  async close(): Promise<void> {
    await this.#flush();
  }

  #push(nowMs: number, refusal: object): void {
    this.#pending.push({ at: new Date(nowMs).toISOString(), text: textOf({ action: DENIED, ...refusal }) });
    this.#flushTimer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  /** Take the deeds out of an earlier version's log, once. Never rejects: what cannot be moved stays in that log. */
  #adopt(): Promise<void> {
    this.#adopted ??= this.#store.deeds.adopt(isDeed).catch((error: unknown) => {
      this.#adopted = undefined;
      this.#log.error({ fault: faultOf(error) }, "the audit of an earlier version could not be taken over");
    });
    return this.#adopted;
  }

  #warnOf(bytes: number): void {
    if (bytes < this.#warnAtBytes) return;
    while (this.#warnAtBytes <= bytes) this.#warnAtBytes *= 2;
    this.#log.warn({ bytes }, "the audit of what was done is large: auditDays says for how long it is kept");
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const entries = this.#pending;
    if (entries.length === 0) return;
    this.#pending = [];
    try {
      await this.#store.log.append(entries, { durable: false });
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

function isDeed(text: string): boolean {
  return parse(text)["action"] !== DENIED;
}

function cut(text: string | null | undefined): string | undefined {
  return text?.slice(0, 300);
}

function more(alike: number): { readonly alike?: number } {
  return alike === 0 ? {} : { alike };
}

function matches(entry: Record<string, unknown>, { keyId, action }: AuditFilter): boolean {
  return (
    (keyId === undefined || entry["keyId"] === keyId) && (action === undefined || entry["action"] === action)
  );
}
