import { type Static, Type } from "typebox";
import { Instant, Limit, list, nullable } from "./common.ts";

export const Connection = Type.Object(
  {
    id: Type.String(),
    clientId: Type.String({ description: "the same across reconnects" }),
    keyId: nullable(Type.String()),
    keyName: nullable(Type.String()),
    origin: nullable(Type.String()),
    address: nullable(Type.String()),
    transport: Type.String({ description: "websocket or polling" }),
    connectedAt: Instant,
    channels: Type.Integer(),
    channelNames: list(Type.String()),
  },
  { title: "Connection" },
);
export type Connection = Static<typeof Connection>;

export const ConnectionsQuery = Type.Object({
  key: Type.Optional(Type.String({ maxLength: 200, description: "a key's id" })),
  channel: Type.Optional(Type.String({ maxLength: 400, description: "members of this channel" })),
  address: Type.Optional(Type.String({ maxLength: 100, description: "an address or a CIDR range" })),
  limit: Type.Optional(Limit),
  after: Type.Optional(Type.Integer({ minimum: 0, description: "the next of the page before" })),
});

export const ConnectionsPage = Type.Object({
  items: list(Connection),
  next: nullable(Type.String()),
  total: Type.Integer({ description: "on all pages" }),
});
export type ConnectionsPage = Static<typeof ConnectionsPage>;

export const ConnectionPath = Type.Object({ id: Type.String({ maxLength: 200 }) });
