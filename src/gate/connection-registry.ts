import type { AccessRequest } from "../policy/index.ts";
import type { Refusal } from "../protocol/index.ts";

/** What the gate says: come in, or a refusal of the one table. */
export type Verdict = { readonly allowed: true } | Refusal;

/** What a change of a key would do to its live connections. */
export type Preview = {
  /** Connections of the key. */
  readonly total: number;
  readonly closing: number;
  /** Memberships that would end, of connections that would stay. */
  readonly leaving: number;
  readonly byCode: Readonly<Record<string, number>>;
  readonly byOrigin: Readonly<Record<string, number>>;
  readonly examples: readonly PreviewExample[];
};
export type PreviewExample = {
  readonly connectionId: string;
  readonly origin: string | null;
  readonly ip: string | null;
  readonly code: string;
  readonly message: string;
  /** Absent: the whole connection would close. */
  readonly channel?: string;
};

/** An open connection as its operators see it. */
export type ConnectionView = {
  readonly id: string;
  readonly clientId: string;
  /** Null: it came without a key. */
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly origin: string | null;
  readonly address: string | null;
  readonly transport: string;
  readonly connectedAt: string;
  readonly channels: number;
  /** The first of them. */
  readonly channelNames: readonly string[];
};
export type ConnectionQuery = {
  readonly keyId?: string | undefined;
  /** Members of this channel alone. */
  readonly channel?: string | undefined;
  readonly isFrom?: ((address: string | null) => boolean) | undefined;
  readonly limit: number;
  /** The `next` of the page before; 0 for the first. */
  readonly after: number;
};
export type ConnectionPage = {
  readonly items: readonly ConnectionView[];
  readonly next: number | null;
  /** Of all pages together. */
  readonly total: number;
};

/** The open connections by key. `realtime` fills it; the gate tells it when to look at them again. */
export interface ConnectionRegistry {
  /**
   * Decide again for exactly the connections of this key. @returns undefined when those that fail are out of the hub, else what
   * resolves when they are
   */
  enforce(keyId: string): Promise<void> | undefined;
  /** What `enforce` would do if `decide` were the key's decision; nothing changes. */
  preview(keyId: string, decide: (request: AccessRequest) => Verdict): Promise<Preview>;
  countOf(keyId: string): number;
}

/** The same connections as a list for operators. */
export interface ConnectionList {
  /** Open connections on this node, the one that came first at the beginning. */
  page(query: ConnectionQuery): Promise<ConnectionPage>;
  find(connectionId: string): ConnectionView | undefined;
  /** Tell a connection why, and end it. @returns false when there is no such connection. */
  disconnect(connectionId: string, refusal: Refusal): boolean;
}
