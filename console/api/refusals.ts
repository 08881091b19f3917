import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { DENIALS_MAX, type DenialList } from "./denial-news.ts";
import { queryOf, request } from "./request.ts";

export type AuditEntry = {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly actor?: { readonly by: string; readonly client: string; readonly address: string | null };
  readonly keyId?: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly detail?: string;
};
type Page<T> = { readonly items: readonly T[]; readonly next: string | null };

/** The refusals since the server started, alike ones together. New ones come over the live stream. */
export function useDenials(keyId: string) {
  return useQuery({
    queryKey: ["denials", keyId],
    queryFn: ({ signal }) =>
      request<DenialList>(`/denials${queryOf({ key: keyId, limit: DENIALS_MAX })}`, { signal }),
    refetchInterval: 60_000,
  });
}

/** What was done, newest first, page by page. */
export function useAudit(filter: { readonly keyId: string; readonly action: string }) {
  return useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      request<Page<AuditEntry>>(`/audit${queryOf({ ...filter, limit: 50, before: pageParam })}`, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
}
