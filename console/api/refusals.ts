import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Denial } from "./live-types.ts";
import { queryOf, request } from "./request.ts";
import type { Check, Verdict } from "./types.ts";

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

export type Explanation = { readonly decision: Verdict; readonly checks: readonly Check[] };

/** The refusals since the server started, alike ones together. */
export function useDenials(keyId: string) {
  return useQuery({
    queryKey: ["denials", keyId],
    queryFn: ({ signal }) =>
      request<{ readonly items: readonly Denial[] }>(`/denials${queryOf({ key: keyId, limit: 200 })}`, {
        signal,
      }),
    refetchInterval: 15_000,
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

export const explain = (body: unknown): Promise<Explanation> => request("/explain", { method: "POST", body });
