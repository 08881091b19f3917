import { type Static, Type } from "typebox";
import { LIMITS } from "../protocol/index.ts";

/** Bounds on settings; a document beyond them is refused. */
export const SETTINGS_LIMITS = {
  nameMinChars: 2,
  nameMaxChars: 64,
  endpointsMaxItems: 20_000,
  domainsMaxItems: 20_000,
  ipsMaxItems: 20_000,
  channelRulesMaxItems: 1000,
  limitsMaxItems: 10,
  limitNameMaxChars: 32,
  limitMax: 1_000_000_000,
  /** A week. */
  limitWindowMaxSeconds: 604_800,
  entryMaxChars: 512,
  metadataMaxBytes: 4096,
  metadataMaxDepth: 16,
} as const;

/** The longest that JSON writes a character: two escapes of six bytes. */
const CHAR_MAX_BYTES = 12;

/** The largest body that settings within these bounds need, however their characters are escaped. */
export const SETTINGS_MAX_BYTES =
  (SETTINGS_LIMITS.endpointsMaxItems + SETTINGS_LIMITS.domainsMaxItems + SETTINGS_LIMITS.ipsMaxItems) *
    (SETTINGS_LIMITS.entryMaxChars * CHAR_MAX_BYTES + 4) +
  SETTINGS_LIMITS.channelRulesMaxItems * (LIMITS.channelNameMaxChars * CHAR_MAX_BYTES + 128) +
  SETTINGS_LIMITS.metadataMaxBytes * CHAR_MAX_BYTES +
  64 * 1024;

const endpointMode = Type.Enum(["no-access", "full-access", "custom-allowed", "custom-excluded"], {
  type: "string",
});
const listMode = Type.Enum(["all", "specified"], { type: "string" });
const channelAction = Type.Enum(["join", "publish", "presence", "history", "broadcast"], { type: "string" });
const LIMIT_SCOPES = ["connection", "address", "client", "key"] as const;
const limitScope = Type.Enum(LIMIT_SCOPES, { type: "string" });
const LIMIT_KINDS = ["calls", "joins", "reads"] as const;
const limitKind = Type.Enum(LIMIT_KINDS, {
  type: "string",
  default: "calls",
  description:
    "What it counts. calls: publishes, broadcasts and endpoint calls; joins: joins, leaves and updates; reads: members, history and lists.",
});
const BROADCAST_SCOPES = ["key", "everyone"] as const;
const broadcastTo = Type.Enum(BROADCAST_SCOPES, {
  type: "string",
  default: "key",
  description: "Whom its broadcasts reach: the connections of this key, or everyone connected.",
});
const limitScopeInput = Type.Enum(LIMIT_SCOPES, { type: "string", default: "connection" });

export type EndpointMode = Static<typeof endpointMode>;
export type ListMode = Static<typeof listMode>;
export type ChannelAction = Static<typeof channelAction>;
export const CHANNEL_ACTIONS: readonly ChannelAction[] = channelAction.enum;

function entries(maxItems: number, description: string) {
  const entry = Type.String({ minLength: 1, maxLength: SETTINGS_LIMITS.entryMaxChars });
  return Type.Array(entry, { maxItems, description });
}

const strict = { additionalProperties: false } as const;
const endpointList = entries(
  SETTINGS_LIMITS.endpointsMaxItems,
  "Endpoint ids, or METHOD /path exactly as declared. Kept and ignored unless the mode is custom-….",
);
const domainList = entries(
  SETTINGS_LIMITS.domainsMaxItems,
  "Origins: scheme://host[:port]; *. stands for exactly one left-most label; a bare name means https://.",
);
const ipList = entries(SETTINGS_LIMITS.ipsMaxItems, "IPv4 and IPv6 addresses and CIDR ranges.");

const name = Type.String({
  minLength: SETTINGS_LIMITS.nameMinChars,
  maxLength: SETTINGS_LIMITS.nameMaxChars,
  description: "Counted after trimming.",
});
const expiresAt = Type.Union([Type.String({ maxLength: 40 }), Type.Null()], {
  description: "RFC 3339 with a zone; null or absent: never. From this instant on the key is refused.",
});
const channels = Type.Array(
  Type.Object(
    {
      pattern: Type.String({ minLength: 1, maxLength: LIMITS.channelNameMaxChars }),
      actions: Type.Array(channelAction, { minItems: 1, maxItems: 5 }),
    },
    strict,
  ),
  {
    maxItems: SETTINGS_LIMITS.channelRulesMaxItems,
    description: "Absent: every channel and action. Present: the whole list.",
  },
);
const limit = {
  name: Type.String({
    minLength: 1,
    maxLength: SETTINGS_LIMITS.limitNameMaxChars,
    description: "Letters and digits, after the first also - _ . ; each name once.",
  }),
  limit: Type.Integer({
    minimum: 1,
    maximum: SETTINGS_LIMITS.limitMax,
    description: "How many in a window.",
  }),
  windowSeconds: Type.Integer({ minimum: 1, maximum: SETTINGS_LIMITS.limitWindowMaxSeconds }),
  kind: Type.Optional(limitKind),
};
const limitList = {
  maxItems: SETTINGS_LIMITS.limitsMaxItems,
  description:
    "Absent or empty: no limit. What is asked is counted in all limits of its kind, or denied by any and counted in none.",
};
const metadata = Type.Record(Type.String(), Type.Unknown(), {
  description: `Yours; at most ${SETTINGS_LIMITS.metadataMaxBytes} bytes as JSON.`,
});

/** Settings as people send them; only `name` is required. The source of the types, of validation and of OpenAPI. */
export const settingsSchema = Type.Object(
  {
    name,
    enabled: Type.Optional(Type.Boolean({ default: true })),
    allowRealtime: Type.Optional(Type.Boolean({ default: false })),
    endpoints: Type.Optional(Type.Object({ mode: endpointMode, list: Type.Optional(endpointList) }, strict)),
    expiresAt: Type.Optional(expiresAt),
    domains: Type.Optional(Type.Object({ mode: listMode, list: Type.Optional(domainList) }, strict)),
    ips: Type.Optional(Type.Object({ mode: listMode, list: Type.Optional(ipList) }, strict)),
    channels: Type.Optional(channels),
    broadcastTo: Type.Optional(broadcastTo),
    limits: Type.Optional(
      Type.Array(Type.Object({ ...limit, per: Type.Optional(limitScopeInput) }, strict), limitList),
    ),
    metadata: Type.Optional(metadata),
  },
  { ...strict, title: "Settings" },
);

/**
 * The complete, normalised document, as it is stored and shown. `channels` stays absent when every channel is open,
 * `limits` when there are none. Settings of schema 2 stay absent at their default.
 */
export const normalizedSettingsSchema = Type.Object(
  {
    name,
    enabled: Type.Boolean(),
    allowRealtime: Type.Boolean(),
    endpoints: Type.Object({ mode: endpointMode, list: endpointList }, strict),
    expiresAt,
    domains: Type.Object({ mode: listMode, list: domainList }, strict),
    ips: Type.Object({ mode: listMode, list: ipList }, strict),
    channels: Type.Optional(channels),
    broadcastTo: Type.Optional(broadcastTo),
    limits: Type.Optional(Type.Array(Type.Object({ ...limit, per: limitScope }, strict), limitList)),
    metadata,
  },
  { ...strict, title: "NormalizedSettings" },
);

export type SettingsInput = Static<typeof settingsSchema>;
export type Settings = Static<typeof normalizedSettingsSchema>;
export type ChannelRule = NonNullable<Settings["channels"]>[number];
export type Limit = NonNullable<Settings["limits"]>[number];
export type LimitScope = Limit["per"];
export type LimitKind = NonNullable<Limit["kind"]>;
/** Whom a key's broadcasts reach: its own connections, or everyone connected. */
export type BroadcastTo = NonNullable<Settings["broadcastTo"]>;
