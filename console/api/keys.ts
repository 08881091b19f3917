import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { queries } from "./queries.ts";
import { queryOf, request } from "./request.ts";
import type { KeyView, Preview, Settings, Warning } from "./types.ts";

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
export type KeyWithSecret = KeyView & { readonly secret: string; readonly warnings?: readonly Warning[] };
export type SavedKey = KeyView & { readonly warnings: readonly Warning[] };
export type KeyPreview = Preview & { readonly settings: Settings; readonly warnings: readonly Warning[] };
export type KeyVersions = {
  readonly current: number;
  readonly items: readonly {
    readonly version: number;
    readonly settings: Settings;
    readonly updatedAt?: string;
  }[];
  readonly next: number | null;
};

const pathOf = (id: string): string => `/keys/${encodeURIComponent(id)}`;

export function useKeys(query: KeyQuery) {
  return useQuery({
    queryKey: ["keys", query],
    queryFn: ({ signal }) => request<KeyList>(`/keys${queryOf(query)}`, { signal }),
    placeholderData: keepPreviousData,
    // Counts of connections and last uses change without a change of a key.
    refetchInterval: 10_000,
  });
}

export function useKey(id: string) {
  return useQuery({
    queryKey: ["key", id],
    queryFn: ({ signal }) => request<KeyView>(pathOf(id), { signal }),
    refetchInterval: 10_000,
  });
}

export function useVersions(id: string, version: number) {
  return useQuery({
    queryKey: ["key", id, "versions", version],
    queryFn: ({ signal }) => request<KeyVersions>(`${pathOf(id)}/versions`, { signal }),
  });
}

export const readKey = (id: string): Promise<KeyView> => request(pathOf(id));

export async function createKey(settings: unknown): Promise<KeyWithSecret> {
  return changed(await request<KeyWithSecret>("/keys", { method: "POST", body: settings }));
}

export async function patchKey(id: string, ifMatch: number, patch: unknown): Promise<SavedKey> {
  return changed(
    await request<SavedKey>(pathOf(id), { method: "PATCH", body: patch, isPatch: true, ifMatch }),
  );
}

export function previewKey(id: string, patch: unknown): Promise<KeyPreview> {
  return request(`${pathOf(id)}/preview`, { method: "POST", body: patch, isPatch: true });
}

export async function restoreKey(id: string, ifMatch: number, version: number): Promise<SavedKey> {
  return changed(
    await request<SavedKey>(`${pathOf(id)}/restore`, { method: "POST", body: { version }, ifMatch }),
  );
}

export async function rotateKey(id: string, ifMatch: number, overlapSeconds: number): Promise<KeyWithSecret> {
  return changed(
    await request<KeyWithSecret>(`${pathOf(id)}/rotate`, {
      method: "POST",
      body: { overlapSeconds },
      ifMatch,
    }),
  );
}

export async function duplicateKey(id: string, name: string): Promise<KeyWithSecret> {
  return changed(await request<KeyWithSecret>(`${pathOf(id)}/duplicate`, { method: "POST", body: { name } }));
}

/** Without a version: also a damaged key. */
export async function deleteKey(id: string, ifMatch: number | undefined): Promise<void> {
  await request(pathOf(id), { method: "DELETE", ...(ifMatch === undefined ? {} : { ifMatch }) });
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
