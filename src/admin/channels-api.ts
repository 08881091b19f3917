import { type Hub, parseChannel, parsePublication, SERVER_OWNER } from "../channels/index.ts";
import type { Audit } from "../observe/audit.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { LIMITS, refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import {
  ChannelsPage,
  ChannelsQuery,
  MembersPage,
  MembersQuery,
  Published,
  TestMessage,
} from "./schemas/channels.ts";
import { PAGE_DEFAULT, REFUSALS } from "./schemas/common.ts";
import type { AdminScope } from "./scope.ts";

export type ChannelsApiOptions = {
  readonly hub: Hub;
  readonly audit: Audit;
  readonly access: AdminAccess;
  readonly log: Logger;
};

const tags = ["Channels"];

/** `/channels`: which channels there are, who is in them, and a message to try one. */
export async function registerChannelsApi(scope: AdminScope, options: ChannelsApiOptions): Promise<void> {
  const { hub, audit, access, log } = options;
  // What the hub throws is the broker's: it is away and may be asked again.
  scope.setErrorHandler((error, _request, reply) => {
    if (error instanceof Error && "statusCode" in error) throw error;
    log.error({ fault: faultOf(error) }, "the broker did not answer");
    return reply.refuse(refuse("unavailable"));
  });

  scope.get(
    "/channels",
    {
      schema: {
        tags,
        summary: "Channels with members on this node, by name",
        querystring: ChannelsQuery,
        response: { 200: ChannelsPage, ...REFUSALS },
      },
    },
    async (request) => {
      const { prefix = "", limit = PAGE_DEFAULT, after = "" } = request.query;
      return hub.channelPage({ prefix, limit, after, nowMs: Date.now() });
    },
  );

  scope.get(
    "/channels/members",
    {
      schema: {
        tags,
        summary: "A channel's members",
        querystring: MembersQuery,
        response: { 200: MembersPage, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { channel, limit = PAGE_DEFAULT, after } = request.query;
      const parsed = parseChannel(channel);
      if ("allowed" in parsed) return reply.refuse(parsed);
      const page = { limit: Math.min(limit, LIMITS.membersPageMax), after };
      const answer = await hub.members(parsed.channel, page);
      if (answer === "off")
        return reply.refuse(refuse("unsupported", "the configuration turns presence off in this channel"));
      const { members, count, next } = answer;
      return { items: members, next, total: count };
    },
  );

  scope.post(
    "/channels/publish",
    {
      schema: {
        tags,
        summary: "Publish a message, from the server itself",
        body: TestMessage,
        response: { 200: Published, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { channel, eventName, message } = request.body;
      const parsed = parseChannel(channel);
      if ("allowed" in parsed) return reply.refuse(parsed);
      const read = parsePublication({ eventName, message }, { from: null, now: Date.now() });
      if ("allowed" in read) return reply.refuse(read);
      const { publication } = read;
      const position = await hub.publish(parsed.channel, publication, { owner: SERVER_OWNER });
      if (position === "stopping") return reply.refuse(refuse("server_shutdown"));
      if (position === "conflict") return reply.refuse(refuse("id_conflict"));
      const detail = `"${eventName}" to the channel "${parsed.channel}"`;
      await audit.record({ action: "channel.published", actor: access.actorOf(request), detail });
      return { id: publication.id, ...position };
    },
  );
}
