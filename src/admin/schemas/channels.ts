import { type Static, Type } from "typebox";
import { Limit, list, nullable } from "./common.ts";

export const Channel = Type.Object(
  {
    name: Type.String(),
    members: Type.Integer({ description: "on this node" }),
    epoch: Type.String(),
    offset: Type.Integer(),
    messagesPerSecond: Type.Integer({ description: "in the last whole second" }),
  },
  { title: "Channel" },
);
export type Channel = Static<typeof Channel>;

export const ChannelsQuery = Type.Object({
  prefix: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Limit),
  after: Type.Optional(Type.String({ maxLength: 200, description: "the next of the page before" })),
});

export const ChannelsPage = Type.Object({
  items: list(Channel),
  next: nullable(Type.String()),
  total: Type.Integer({ description: "on all pages" }),
});
export type ChannelsPage = Static<typeof ChannelsPage>;

export const Member = Type.Object(
  { id: Type.String({ description: "of the connection" }), clientId: Type.String(), data: Type.Unknown() },
  { title: "Member" },
);
export type Member = Static<typeof Member>;

export const MembersQuery = Type.Object({
  channel: Type.String({ maxLength: 400 }),
  limit: Type.Optional(Limit),
  after: Type.Optional(Type.String({ maxLength: 100 })),
});

export const MembersPage = Type.Object({
  items: list(Member),
  next: nullable(Type.String()),
  total: Type.Integer(),
});
export type MembersPage = Static<typeof MembersPage>;

export const TestMessage = Type.Object(
  { channel: Type.String(), eventName: Type.String(), message: Type.Optional(Type.Unknown()) },
  { additionalProperties: false },
);
export type TestMessage = Static<typeof TestMessage>;

export const Published = Type.Object({ id: Type.String(), epoch: Type.String(), offset: Type.Integer() });
export type Published = Static<typeof Published>;
