import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { queryOf, request } from "./request.ts";
import type { ChannelsPage, ConnectionsPage, MembersPage, Published } from "./types.ts";

export const PAGE_SIZE = 50;
export const MEMBERS_PAGE_SIZE = 20;
const REFRESH_MS = 2_000;

export type ConnectionFilter = { readonly key: string; readonly channel: string; readonly address: string };

/** One page, the oldest first; `after` is the `next` of the page before. */
export function useConnections(filter: ConnectionFilter, after: string) {
  return useQuery({
    queryKey: ["connections", filter, after],
    queryFn: ({ signal }) =>
      request<ConnectionsPage>(`/connections${queryOf({ ...filter, limit: PAGE_SIZE, after })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

/** One page, by name. */
export function useChannels(prefix: string, after: string) {
  return useQuery({
    queryKey: ["channels", prefix, after],
    queryFn: ({ signal }) =>
      request<ChannelsPage>(`/channels${queryOf({ prefix, limit: PAGE_SIZE, after })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

/** One channel, if there is anything in it. */
export function useChannel(name: string) {
  return useQuery({
    queryKey: ["channels", name, "itself"],
    queryFn: async ({ signal }) => {
      // The shortest name that begins like it is the name itself.
      const { items } = await request<ChannelsPage>(`/channels${queryOf({ prefix: name, limit: 1 })}`, {
        signal,
      });
      return items.find((channel) => channel.name === name) ?? null;
    },
    refetchInterval: REFRESH_MS,
  });
}

export function useMembers(channel: string, after: string) {
  return useQuery({
    queryKey: ["members", channel, after],
    queryFn: ({ signal }) =>
      request<MembersPage>(`/channels/members${queryOf({ channel, limit: MEMBERS_PAGE_SIZE, after })}`, {
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

export async function closeConnection(id: string): Promise<void> {
  await request(`/connections/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function publish(channel: string, eventName: string, message: unknown): Promise<Published> {
  return request("/channels/publish", { method: "POST", body: { channel, eventName, message } });
}
