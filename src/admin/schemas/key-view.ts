// Free of Node and Fastify: the console reads these types too.

export const KEY_STATES = ["active", "expiring", "expired", "disabled", "rotating", "unreadable"] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A key as its operators see it: no digest, and of a secret only what helps to recognise it. */
export type KeyView = {
  readonly id: string;
  readonly hint: string | null;
  readonly version: number;
  readonly state: KeyState;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Newest first; a secret with `validUntil` ends at that instant. */
  readonly secrets: readonly { readonly hint: string; readonly validUntil: string | null }[];
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Coarse: within a quarter of a minute. */
  readonly lastUsedAt: string | null;
  readonly allowed: number;
  readonly denied: Readonly<Record<string, number>>;
  /** On this node. */
  readonly connections: number;
};
