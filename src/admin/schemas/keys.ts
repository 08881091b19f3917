import { type Static, Type } from "typebox";
import { settingsSchema } from "../../policy/settings.ts";
import { dictionary, IdPath, IfMatch, Instant, Limit, list, Nothing, nullable, Warnings } from "./common.ts";
import { KeyItem, KeyState, KeyView, KeyWithWarnings, keyViewMembers } from "./key-view.ts";

const tags = ["Keys"];
const MERGE_PATCH = ["application/merge-patch+json"];
const Settings = dictionary(Type.Unknown());

export const KeySecret = Type.String({ description: "shown this once" });
export const CreatedKey = Type.Object(
  { ...keyViewMembers, secret: KeySecret, warnings: Warnings },
  { title: "CreatedKey" },
);
export type CreatedKey = Static<typeof CreatedKey>;
export const RotatedKey = Type.Object({ ...keyViewMembers, secret: KeySecret }, { title: "RotatedKey" });
export type RotatedKey = Static<typeof RotatedKey>;

export const KeysPage = Type.Object({
  items: list(KeyItem),
  next: Type.Optional(nullable(Type.String({ description: "of a page in the order of creation" }))),
  total: Type.Optional(Type.Integer({ description: "of a search, on all pages" })),
  counts: Type.Optional(dictionary(Type.Integer())),
  unreadable: Type.Optional(list(Type.String())),
});
export type KeysPage = Static<typeof KeysPage>;

export const Preview = Type.Object(
  {
    total: Type.Integer(),
    closing: Type.Integer(),
    leaving: Type.Integer(),
    byCode: dictionary(Type.Integer()),
    byOrigin: dictionary(Type.Integer()),
    examples: list(
      Type.Object({
        connectionId: Type.String(),
        origin: nullable(Type.String()),
        ip: nullable(Type.String()),
        code: Type.String(),
        message: Type.String(),
        channel: Type.Optional(Type.String()),
      }),
    ),
    settings: Settings,
    warnings: Warnings,
  },
  { title: "Preview" },
);
export type Preview = Static<typeof Preview>;

export const Versions = Type.Object({
  current: Type.Integer(),
  items: list(Type.Object({ version: Type.Integer(), settings: Settings, updatedAt: Instant })),
  next: nullable(Type.Integer()),
});
export type Versions = Static<typeof Versions>;

const importWarnings = {
  warnings: Warnings,
  moreWarnings: Type.Integer({ description: "how many are left out: at most 1,000 are named" }),
};
const Imported = Type.Object({
  created: list(Type.String()),
  replaced: list(Type.String()),
  skipped: list(Type.String()),
  ...importWarnings,
});

/** What the routes below `/keys` take and answer. They read their bodies themselves, to name faults by settings. */
export const KEY_ROUTES = {
  create: { tags, summary: "Make a key", body: settingsSchema, response: { 201: CreatedKey } },
  list: {
    tags,
    summary: "List keys in the order of creation, or search and sort them",
    querystring: Type.Object({
      limit: Type.Optional(Limit),
      after: Type.Optional(Type.String({ description: "the next of the page before" })),
      search: Type.Optional(Type.String({ description: "part of the name, the id or a secret's hint" })),
      state: Type.Optional(KeyState),
      sort: Type.Optional(
        Type.String({ description: "name, created, updated, expires, lastUsed, connections" }),
      ),
      order: Type.Optional(Type.String({ description: "asc or desc" })),
      offset: Type.Optional(Type.Integer({ minimum: 0, description: "of a search" })),
    }),
    response: { 200: KeysPage },
  },
  read: { tags, summary: "Read a key", params: IdPath, response: { 200: KeyView } },
  change: {
    tags,
    summary: "Change settings by a JSON Merge Patch",
    consumes: MERGE_PATCH,
    params: IdPath,
    headers: IfMatch,
    body: Settings,
    response: { 200: KeyWithWarnings },
  },
  delete: { tags, summary: "Delete a key", params: IdPath, headers: IfMatch, response: { 204: Nothing } },
  rotate: {
    tags,
    summary: "Make a new secret",
    params: IdPath,
    headers: IfMatch,
    body: Type.Object({ overlapSeconds: Type.Optional(Type.Integer({ minimum: 0 })) }),
    response: { 200: RotatedKey },
  },
  preview: {
    tags,
    summary: "What new settings would do to the key's live connections",
    params: IdPath,
    querystring: Type.Object({
      version: Type.Optional(
        Type.Integer({ minimum: 1, description: "what putting this one back would do; the body is ignored" }),
      ),
    }),
    body: settingsSchema,
    response: { 200: Preview },
  },
  versions: {
    tags,
    summary: "Earlier settings, newest first",
    params: IdPath,
    querystring: Type.Object({
      before: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "20 if absent" })),
    }),
    response: { 200: Versions },
  },
  restore: {
    tags,
    summary: "Put earlier settings back, as a new version",
    params: IdPath,
    headers: IfMatch,
    body: Type.Object({ version: Type.Integer({ minimum: 1 }) }),
    response: { 200: KeyWithWarnings },
  },
  duplicate: {
    tags,
    summary: "Make a key with the same settings",
    params: IdPath,
    body: Type.Object({ name: Type.Optional(Type.String()) }),
    response: { 201: CreatedKey },
  },
  export: {
    tags,
    summary: "A backup of all keys: digests, no secrets",
    response: {
      200: Type.Object({ keys: list(Type.Unknown()), unreadable: list(Type.String()) }),
    },
  },
  import: {
    tags,
    summary: "Restore a backup, all of it or nothing",
    body: Type.Object({ keys: list(Type.Unknown()), onExisting: Type.Optional(Type.String()) }),
    response: { 200: Imported },
  },
  importAgnost: {
    tags,
    summary: "Take the keys of an Agnost version document",
    querystring: Type.Object({
      allowWeak: Type.Optional(Type.Boolean({ description: "also secrets that can be guessed" })),
    }),
    body: Type.Unknown(),
    response: { 200: Type.Object({ created: list(Type.String()), ...importWarnings }) },
  },
} as const;
