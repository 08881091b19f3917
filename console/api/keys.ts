import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { isFault } from "./problem.ts";
import { queries } from "./queries.ts";
import { queryOf, request } from "./request.ts";
import {
  dictionaryOf,
  isAnything,
  isNumber,
  isOneOf,
  isText,
  listOf,
  objectOf,
  orAbsent,
  orNull,
} from "./shape.ts";
import type { KeyView, Preview, PreviewExample, Warning } from "./types.ts";

export type KeyQuery = {
  readonly search: string;
  readonly state: string;
  readonly sort: string;
  readonly order: "asc" | "desc";
  readonly offset: number;
  readonly limit: number;
};
export type KeyList = {
  readonly items: readonly KeyView[];
  readonly total: number;
  readonly counts: Readonly<Partial<Record<KeyView["state"], number>>>;
  readonly unreadable: readonly string[];
};
export type KeyWithSecret = KeyView & {
  readonly secret: string;
  readonly warnings?: readonly Warning[] | undefined;
};
export type SavedKey = KeyView & { readonly warnings: readonly Warning[] };
export type KeyPreview = Preview & {
  readonly settings: KeyView["settings"];
  readonly warnings: readonly Warning[];
};
export type KeyVersion = {
  readonly version: number;
  readonly settings: KeyView["settings"];
  readonly updatedAt: string;
};
export type KeyVersions = {
  readonly current: number;
  readonly items: readonly KeyVersion[];
  readonly next: number | null;
};

const keyMembers = {
  id: isText,
  hint: orNull(isText),
  version: isNumber,
  state: isOneOf<KeyView["state"]>({
    active: true,
    expiring: true,
    expired: true,
    disabled: true,
    rotating: true,
    unreadable: true,
  }),
  settings: dictionaryOf(isAnything),
  secrets: listOf(objectOf<KeyView["secrets"][number]>({ hint: isText, validUntil: orNull(isText) })),
  createdAt: isText,
  updatedAt: isText,
  lastUsedAt: orNull(isText),
  allowed: isNumber,
  denied: dictionaryOf(isNumber),
  connections: isNumber,
  unstored: orNull(
    objectOf<NonNullable<KeyView["unstored"]>>({
      change: isOneOf({ changed: true, rotated: true, deleted: true }),
      since: isText,
    }),
  ),
};
const isKey = objectOf<KeyView>(keyMembers);
const isKeyList = objectOf<KeyList>({
  items: listOf(isKey),
  total: isNumber,
  counts: dictionaryOf(isNumber),
  unreadable: listOf(isText),
});
const isKeyWithSecret = objectOf<KeyWithSecret>({
  ...keyMembers,
  secret: isText,
  warnings: orAbsent(listOf(isFault)),
});
const isSavedKey = objectOf<SavedKey>({ ...keyMembers, warnings: listOf(isFault) });
const isPreview = objectOf<KeyPreview>({
  total: isNumber,
  closing: isNumber,
  leaving: isNumber,
  byCode: dictionaryOf(isNumber),
  byOrigin: dictionaryOf(isNumber),
  examples: listOf(
    objectOf<PreviewExample>({
      connectionId: isText,
      origin: orNull(isText),
      ip: orNull(isText),
      code: isText,
      message: isText,
      channel: orAbsent(isText),
    }),
  ),
  settings: dictionaryOf(isAnything),
  warnings: listOf(isFault),
});
const isKeyVersions = objectOf<KeyVersions>({
  current: isNumber,
  items: listOf(
    objectOf<KeyVersion>({ version: isNumber, settings: dictionaryOf(isAnything), updatedAt: isText }),
  ),
  next: orNull(isNumber),
});

const pathOf = (id: string): string => `/keys/${encodeURIComponent(id)}`;

export function useKeys(query: KeyQuery) {
  return useQuery({
    queryKey: ["keys", query],
    queryFn: ({ signal }) => request(`/keys${queryOf(query)}`, isKeyList, { signal }),
    placeholderData: keepPreviousData,
    // Counts of connections and last uses change without a change of a key.
    refetchInterval: 10_000,
  });
}

export function useKey(id: string) {
  return useQuery({
    queryKey: ["key", id],
    queryFn: ({ signal }) => readKey(id, signal),
    refetchInterval: 10_000,
  });
}

/** The version before this one. Each has all of the key's settings, so that no more than one is asked for. */
export function useVersionBefore(id: string, version: number) {
  return useQuery({
    queryKey: ["key", id, "versions", version],
    queryFn: ({ signal }) => request(`${pathOf(id)}/versions?limit=1`, isKeyVersions, { signal }),
  });
}

export function readKey(id: string, signal?: AbortSignal): Promise<KeyView> {
  return request(pathOf(id), isKey, signal === undefined ? {} : { signal });
}

export async function createKey(settings: unknown): Promise<KeyWithSecret> {
  return changed(await request("/keys", isKeyWithSecret, { method: "POST", body: settings }));
}

export async function patchKey(id: string, ifMatch: number, patch: unknown): Promise<SavedKey> {
  return changed(
    await request(pathOf(id), isSavedKey, { method: "PATCH", body: patch, isPatch: true, ifMatch }),
  );
}

export function previewKey(id: string, patch: unknown): Promise<KeyPreview> {
  return request(`${pathOf(id)}/preview`, isPreview, { method: "POST", body: patch, isPatch: true });
}

/** What putting an earlier version back would do. */
export function previewVersion(id: string, version: number): Promise<KeyPreview> {
  return request(`${pathOf(id)}/preview${queryOf({ version })}`, isPreview, { method: "POST", body: {} });
}

export async function restoreKey(id: string, ifMatch: number, version: number): Promise<SavedKey> {
  return changed(
    await request(`${pathOf(id)}/restore`, isSavedKey, { method: "POST", body: { version }, ifMatch }),
  );
}

export async function rotateKey(id: string, ifMatch: number, overlapSeconds: number): Promise<KeyWithSecret> {
  return changed(
    await request(`${pathOf(id)}/rotate`, isKeyWithSecret, {
      method: "POST",
      body: { overlapSeconds },
      ifMatch,
    }),
  );
}

export async function duplicateKey(id: string, name: string): Promise<KeyWithSecret> {
  return changed(
    await request(`${pathOf(id)}/duplicate`, isKeyWithSecret, { method: "POST", body: { name } }),
  );
}

/** Without a version: also a damaged key. */
export async function deleteKey(id: string, ifMatch: number | undefined): Promise<void> {
  await request(pathOf(id), isAnything, { method: "DELETE", ...(ifMatch === undefined ? {} : { ifMatch }) });
  queries.removeQueries({ queryKey: ["key", id] });
  void queries.invalidateQueries({ queryKey: ["keys"] });
}

/** What was just answered is the newest there is. */
function changed<T extends KeyView>(key: T): T {
  queries.setQueryData(["key", key.id], key);
  void queries.invalidateQueries({ queryKey: ["keys"] });
  void queries.invalidateQueries({ queryKey: ["audit"] });
  return key;
}
