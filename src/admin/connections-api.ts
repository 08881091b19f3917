import { parseChannel } from "../channels/index.ts";
import type { ConnectionList } from "../gate/index.ts";
import type { Audit } from "../observe/audit.ts";
import { NetworkSet, parseNetwork } from "../policy/index.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import { Nothing, PAGE_DEFAULT, REFUSALS } from "./schemas/common.ts";
import { ConnectionPath, ConnectionsPage, ConnectionsQuery } from "./schemas/connections.ts";
import type { AdminScope } from "./scope.ts";

export type ConnectionsApiOptions = {
  readonly connections: ConnectionList;
  readonly audit: Audit;
  readonly access: AdminAccess;
};

const tags = ["Connections"];

/** `/connections`: who is connected to this node, and the end of one of them. */
export function registerConnectionsApi(scope: AdminScope, options: ConnectionsApiOptions): void {
  const { connections, audit, access } = options;

  scope.get(
    "/connections",
    {
      schema: {
        tags,
        summary: "Open connections on this node, in the order of their arrival",
        querystring: ConnectionsQuery,
        response: { 200: ConnectionsPage, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { key, channel, address, limit = PAGE_DEFAULT, after = 0 } = request.query;
      if (channel !== undefined) {
        const parsed = parseChannel(channel);
        if ("allowed" in parsed) return reply.refuse(parsed);
      }
      const network = address === undefined ? undefined : parseNetwork(address);
      if (typeof network === "string") {
        return reply.refuse(refuse("invalid_request", "address is an address or a range"), [
          { pointer: "/address", message: network },
        ]);
      }
      const networks = network === undefined ? undefined : new NetworkSet([network]);
      const isFrom =
        networks === undefined
          ? undefined
          : (text: string | null): boolean => text !== null && networks.test(text) === 1;
      const { items, next, total } = await connections.page({
        keyId: key,
        ...{ channel, isFrom, limit, after },
      });
      return { items, next: next === null ? null : String(next), total };
    },
  );

  scope.delete(
    "/connections/:id",
    {
      schema: {
        tags,
        summary: "Close a connection, which stays away",
        params: ConnectionPath,
        response: { 204: Nothing, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const refusal = refuse("closed_by_operator");
      const view = connections.find(id);
      if (view === undefined || !connections.disconnect(id, refusal)) {
        return reply.refuse(refuse("not_found", "there is no such connection on this node"));
      }
      const detail = `connection ${id} from ${view.address ?? "an unknown address"}`;
      const keyId = view.keyId ?? undefined;
      await audit.record({ action: "connection.closed", actor: access.actorOf(request), keyId, detail });
      return reply.code(204).send(null);
    },
  );
}
