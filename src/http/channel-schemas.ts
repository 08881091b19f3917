import { type TSchema, Type } from "typebox";

const list = <T extends TSchema>(schema: T) => Type.Immutable(Type.Array(schema));
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Broadcast = {
  eventName: Type.String(),
  message: Type.Optional(Type.Unknown()),
  id: Type.Optional(Type.String({ description: "the same id again is the same message" })),
};
const Publish = Type.Object({ channel: Type.String(), ...Broadcast }, { additionalProperties: false });
const Published = Type.Object({ id: Type.String(), epoch: Type.String(), offset: Type.Integer() });
const WireError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  afterMs: Type.Optional(Type.Number()),
});
const Member = Type.Object({ id: Type.String(), clientId: Type.String(), data: Type.Unknown() });
const Sender = Type.Union([
  Type.Object({ id: Type.String(), clientId: Type.String() }),
  Type.Object({
    id: Type.Null(),
    clientId: Type.Null(),
    key: nullable(Type.String({ description: "the id of the key that published it over HTTP" })),
  }),
  Type.Null(),
]);
const Message = Type.Object({
  eventName: Type.String(),
  channel: Type.String(),
  message: Type.Unknown(),
  /** JSON pointers to the texts in `message` that are binary values in base64. */
  binary: Type.Optional(Type.Array(Type.String())),
  id: Type.String(),
  from: Sender,
  timestamp: Type.Number(),
  epoch: Type.String(),
  offset: Type.Integer(),
});
/** As over sockets: above the largest page it is that one. */
const Limit = Type.String({ pattern: "^[1-9][0-9]{0,14}$" });
/** Agnost's clients may send more fields than the channel. */
const GetMembers = Type.Object({ channel: Type.String() });

const refused = (description: string) => ({
  description,
  content: {
    "application/problem+json": {
      schema: Type.Object({
        type: Type.String(),
        title: Type.String(),
        status: Type.Integer(),
        detail: Type.String(),
        code: Type.String({ description: "stable: programs may switch on it" }),
        faults: Type.Optional(list(Type.Object({ pointer: Type.String(), message: Type.String() }))),
      }),
    },
  },
});
const REFUSALS = { default: refused("Refused, or not possible now") };
const tags = ["Channels"];
const agnost = {
  tags: ["Agnost"],
  body: GetMembers,
  response: { 200: list(Member), ...REFUSALS },
};

/** What the routes of the channel API take and answer. */
export const CHANNEL_ROUTES = {
  publish: {
    tags,
    summary: "Publish to a channel",
    body: Publish,
    response: { 200: Published, ...REFUSALS },
  },
  batch: {
    tags,
    summary: "Publish up to a thousand messages, each with an answer of its own",
    body: Type.Object(
      { messages: Type.Array(Publish, { minItems: 1, maxItems: 1_000 }) },
      { additionalProperties: false },
    ),
    response: {
      200: Type.Object({ results: list(Type.Union([Published, Type.Object({ error: WireError })])) }),
      ...REFUSALS,
    },
  },
  broadcast: {
    tags,
    summary: "Send to the connections of the key, or to everyone connected, as its broadcastTo says",
    body: Type.Object(Broadcast, { additionalProperties: false }),
    response: { 200: Type.Object({ id: Type.String() }), ...REFUSALS },
  },
  history: {
    tags,
    summary: "Retained messages of a channel, after a position",
    querystring: Type.Object({
      channel: Type.String(),
      epoch: Type.Optional(Type.String({ maxLength: 100 })),
      after: Type.Optional(Type.String({ pattern: "^(0|[1-9][0-9]{0,14})$" })),
      limit: Type.Optional(Limit),
    }),
    response: {
      200: Type.Object({
        messages: list(Message),
        epoch: Type.String(),
        offset: Type.Integer(),
        complete: Type.Boolean(),
      }),
      ...REFUSALS,
    },
  },
  list: {
    tags,
    summary: "Channels with members whose presence the key may see",
    querystring: Type.Object({
      prefix: Type.Optional(Type.String({ maxLength: 200 })),
      limit: Type.Optional(Limit),
      after: Type.Optional(Type.String({ maxLength: 200, description: "the next of the page before" })),
    }),
    response: {
      200: Type.Object({
        items: list(Type.Object({ channel: Type.String(), members: Type.Integer() })),
        next: nullable(Type.String()),
      }),
      ...REFUSALS,
    },
  },
  members: {
    tags,
    summary: "A channel's members",
    querystring: Type.Object({
      channel: Type.String(),
      limit: Type.Optional(Limit),
      after: Type.Optional(Type.String({ maxLength: 100 })),
    }),
    response: {
      200: Type.Object({
        members: list(Member),
        count: Type.Integer(),
        next: nullable(Type.String()),
      }),
      ...REFUSALS,
    },
  },
  getMembers: { ...agnost, summary: "A channel's members, as Agnost's SDK asks for them" },
  getMembersOfEnvironment: {
    ...agnost,
    summary: "The same below an environment's id",
    params: Type.Object({ env: Type.String() }),
  },
};
