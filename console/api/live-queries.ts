import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { queryOf, request } from "./request.ts";

export type Connection = {
  readonly id: string;
  readonly clientId: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly origin: string | null;
  readonly address: string | null;
  readonly transport: "websocket" | "polling";
  readonly connectedAt: string;
  readonly channels: number;
  readonly channelNames: readonly string[];
};
export type Channel = {
  readonly name: string;
  readonly members: number;
  readonly epoch: string;
  readonly offset: number;
  readonly messagesPerSecond: number;
};
export type Member = { readonly id: string; readonly clientId: string; readonly data: unknown };
type Page<T> = { readonly items: readonly T[]; readonly next: string | null; readonly total: number };

const PAGE = 50;
const REFRESH_MS = 3_000;

export type ConnectionFilter = { readonly key: string; readonly channel: string; readonly address: string };

/** The oldest first, a page more each time. */
export function useConnections(filter: ConnectionFilter) {
  return useInfiniteQuery({
    queryKey: ["connections", filter],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Connection>>(`/connections${queryOf({ ...filter, limit: PAGE, after: pageParam })}`, {
        signal,
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

export function useChannels(prefix: string) {
  return useInfiniteQuery({
    queryKey: ["channels", prefix],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Channel>>(`/channels${queryOf({ prefix, limit: PAGE, after: pageParam })}`, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

export function useMembers(channel: string) {
  return useQuery({
    queryKey: ["members", channel],
    queryFn: ({ signal }) =>
      request<Page<Member>>(`/channels/members${queryOf({ channel, limit: 100 })}`, { signal }),
    refetchInterval: REFRESH_MS,
  });
}

export async function closeConnection(id: string): Promise<void> {
  await request(`/connections/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function publish(
  channel: string,
  eventName: string,
  message: unknown,
): Promise<{ readonly offset: number }> {
  return request("/channels/publish", { method: "POST", body: { channel, eventName, message } });
}
