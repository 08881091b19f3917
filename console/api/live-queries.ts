import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { queryOf, request } from "./request.ts";
import { isAnything, isNumber, isText, listOf, objectOf, orNull } from "./shape.ts";
import type {
  Channel,
  ChannelsPage,
  Connection,
  ConnectionsPage,
  Member,
  MembersPage,
  Published,
} from "./types.ts";

export const PAGE_SIZE = 50;
export const MEMBERS_PAGE_SIZE = 20;
const REFRESH_MS = 2_000;

const isConnectionsPage = objectOf<ConnectionsPage>({
  items: listOf(
    objectOf<Connection>({
      id: isText,
      clientId: isText,
      keyId: orNull(isText),
      keyName: orNull(isText),
      origin: orNull(isText),
      address: orNull(isText),
      transport: isText,
      connectedAt: isText,
      channels: isNumber,
      channelNames: listOf(isText),
    }),
  ),
  next: orNull(isText),
  total: isNumber,
});
const isChannelsPage = objectOf<ChannelsPage>({
  items: listOf(
    objectOf<Channel>({
      name: isText,
      members: isNumber,
      epoch: isText,
      offset: isNumber,
      messagesPerSecond: isNumber,
    }),
  ),
  next: orNull(isText),
  total: isNumber,
});
const isMembersPage = objectOf<MembersPage>({
  items: listOf(objectOf<Member>({ id: isText, clientId: isText, data: isAnything })),
  next: orNull(isText),
  total: isNumber,
});
const isPublished = objectOf<Published>({ id: isText, epoch: isText, offset: isNumber });

export type ConnectionFilter = { readonly key: string; readonly channel: string; readonly address: string };

/** One page, the oldest first; `after` is the `next` of the page before. */
export function useConnections(filter: ConnectionFilter, after: string) {
  return useQuery({
    queryKey: ["connections", filter, after],
    queryFn: ({ signal }) =>
      request(`/connections${queryOf({ ...filter, limit: PAGE_SIZE, after })}`, isConnectionsPage, {
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

/** One page, by name. */
export function useChannels(prefix: string, after: string) {
  return useQuery({
    queryKey: ["channels", prefix, after],
    queryFn: ({ signal }) =>
      request(`/channels${queryOf({ prefix, limit: PAGE_SIZE, after })}`, isChannelsPage, { signal }),
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
      const { items } = await request(`/channels${queryOf({ prefix: name, limit: 1 })}`, isChannelsPage, {
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
      request(`/channels/members${queryOf({ channel, limit: MEMBERS_PAGE_SIZE, after })}`, isMembersPage, {
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

export async function closeConnection(id: string): Promise<void> {
  await request(`/connections/${encodeURIComponent(id)}`, isAnything, { method: "DELETE" });
}

export function publish(channel: string, eventName: string, message: unknown): Promise<Published> {
  return request("/channels/publish", isPublished, { method: "POST", body: { channel, eventName, message } });
}
