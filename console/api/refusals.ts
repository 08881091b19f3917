import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { DENIALS_MAX, type DenialList } from "./denial-news.ts";
import { isDenial } from "./live-events.ts";
import { queryOf, request } from "./request.ts";
import { isAnything, isNumber, isText, listOf, objectOf, orAbsent, orNull } from "./shape.ts";

type Actor = { readonly client: string; readonly address: string | null };
export type AuditEntry = {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly actor?: Actor | undefined;
  readonly keyId?: string | null | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly detail?: string | undefined;
  /** Of a refusal. */
  readonly code?: string | undefined;
  readonly wanted?: string | undefined;
  readonly ip?: string | null | undefined;
  readonly origin?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly channel?: string | undefined;
  readonly host?: string | undefined;
  /** How many of its kind came before it unwritten. */
  readonly alike?: number | undefined;
};
type AuditPage = { readonly items: readonly AuditEntry[]; readonly next: string | null };

const isDenialList = objectOf<DenialList>({ items: listOf(isDenial) });
const isAuditPage = objectOf<AuditPage>({
  items: listOf(
    objectOf<AuditEntry>({
      id: isText,
      at: isText,
      action: isText,
      actor: orAbsent(objectOf<Actor>({ client: isText, address: orNull(isText) })),
      keyId: orAbsent(orNull(isText)),
      before: isAnything,
      after: isAnything,
      detail: orAbsent(isText),
      code: orAbsent(isText),
      wanted: orAbsent(isText),
      ip: orAbsent(orNull(isText)),
      origin: orAbsent(isText),
      endpoint: orAbsent(isText),
      channel: orAbsent(isText),
      host: orAbsent(isText),
      alike: orAbsent(isNumber),
    }),
  ),
  next: orNull(isText),
});

/** The refusals since the server started, alike ones together. New ones come over the live stream. */
export function useDenials(keyId: string) {
  return useQuery({
    queryKey: ["denials", keyId],
    queryFn: ({ signal }) =>
      request(`/denials${queryOf({ key: keyId, limit: DENIALS_MAX })}`, isDenialList, { signal }),
    refetchInterval: 60_000,
  });
}

/** What was done, newest first, page by page. */
export function useAudit(filter: { readonly keyId: string; readonly action: string }) {
  return useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      request(`/audit${queryOf({ ...filter, limit: 50, before: pageParam })}`, isAuditPage, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
}

type ChainCheck = {
  readonly checked: number;
  readonly broken: { readonly sequence: number; readonly reason: string } | null;
};
const isChainCheck = objectOf<ChainCheck>({
  checked: isNumber,
  broken: orNull(objectOf<{ sequence: number; reason: string }>({ sequence: isNumber, reason: isText })),
});

/** Whether what was done is still recorded as it was; asked by `refetch` alone. */
export function useChainCheck() {
  return useQuery({
    queryKey: ["audit", "chain"],
    queryFn: ({ signal }) => request("/audit/verify", isChainCheck, { signal }),
    enabled: false,
    gcTime: 0,
  });
}
