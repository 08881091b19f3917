import { type Static, Type } from "typebox";
import { dictionary, Instant, list, nullable } from "./common.ts";

export const KEY_STATES = ["active", "expiring", "expired", "disabled", "rotating", "unreadable"] as const;
export const KeyState = Type.Union(KEY_STATES.map((state) => Type.Literal(state)));
export type KeyState = (typeof KEY_STATES)[number];

type UnstoredKind = "changed" | "rotated" | "deleted";
const secret = Type.Object({ hint: Type.String(), validUntil: nullable(Instant) });

export const keyViewMembers = {
  id: Type.String(),
  hint: nullable(Type.String()),
  version: Type.Integer(),
  state: Type.Unsafe<KeyState>(KeyState),
  settings: dictionary(Type.Unknown()),
  secrets: Type.Immutable(
    Type.Array(secret, { description: "newest first; a secret with validUntil ends at that instant" }),
  ),
  createdAt: Instant,
  updatedAt: Instant,
  lastUsedAt: nullable(Type.String({ description: "within a quarter of a minute" })),
  allowed: Type.Integer(),
  denied: dictionary(Type.Integer()),
  connections: Type.Integer({ description: "on this node" }),
  unstored: nullable(
    Type.Object(
      { change: Type.Unsafe<UnstoredKind>(Type.String()), since: Instant },
      { description: "a change that is in force here although the store has not taken it" },
    ),
  ),
};

/** A key as its operators see it: no digest, and of a secret only what helps to recognise it. */
export const KeyView = Type.Object(keyViewMembers, { title: "Key" });
export type KeyView = Static<typeof KeyView>;

const size = Type.Integer({ minimum: 0 });
export const KeySizes = Type.Object(
  { endpoints: size, domains: size, ips: size, channels: nullable(size) },
  { description: "how many entries its lists have; channels: null where there are no rules" },
);
export type KeySizes = Static<typeof KeySizes>;

/** A key in a list. Its settings are without `endpoints.list`, `domains.list`, `ips.list` and `channels`: read the key for them. */
export const KeyItem = Type.Object({ ...keyViewMembers, sizes: KeySizes }, { title: "KeyItem" });
export type KeyItem = Static<typeof KeyItem>;

export const KeyWithWarnings = Type.Object(
  {
    ...keyViewMembers,
    warnings: list(Type.Object({ pointer: Type.String(), message: Type.String() })),
  },
  { title: "SavedKey" },
);
export type KeyWithWarnings = Static<typeof KeyWithWarnings>;
