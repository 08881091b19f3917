import type { AccessRequest } from "./policy/index.ts";
import type { Refusal } from "./protocol/index.ts";

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

/** The open connections by key. `realtime` fills it; the gate tells it when to look at them again. */
export interface ConnectionRegistry {
  /** Decide again for exactly the connections of this key; those that fail are out of the hub on return. */
  enforce(keyId: string): void;
  /** What `enforce` would do if `decide` were the key's decision; nothing changes. */
  preview(keyId: string, decide: (request: AccessRequest) => Verdict): Preview;
  countOf(keyId: string): number;
}
