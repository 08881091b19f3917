import { Type } from "typebox";
import type { ChannelDeclaration } from "./channel-declaration.ts";
import { type EndpointDeclaration, endpointsFault } from "./endpoint-declaration.ts";
import { setting, settingOf } from "./setting.ts";

const Channel = Type.Object(
  {
    pattern: Type.String({
      pattern: "^(\\*\\*|([^*:]*|\\*)(:([^*:]*|\\*))*(:\\*\\*)?)$",
      minLength: 1,
      maxLength: 200,
    }),
    history: Type.Optional(
      Type.Object(
        {
          size: Type.Integer({ minimum: 0, maximum: 100_000 }),
          seconds: Type.Integer({ minimum: 0, maximum: 604_800 }),
        },
        { additionalProperties: false },
      ),
    ),
    presence: Type.Optional(
      Type.Union([
        Type.Literal(false),
        Type.Object(
          { maxMembers: Type.Integer({ minimum: 0, maximum: 10_000 }) },
          { additionalProperties: false },
        ),
      ]),
    ),
  },
  { additionalProperties: false },
);

/** The application's own endpoints and channels, and what is written to the log. */
export const APPLICATION_SETTINGS = {
  endpointPrefix: setting({
    // A prefix has no dot segments, and is none of those that the server has itself.
    schema: Type.String({
      pattern: "^(?!/(channels|sdk|realtime|agnost|healthz|readyz)(/|$))(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$",
    }),
    fallback: "/api",
    environment: "SLUICE_ENDPOINT_PREFIX",
    help: "The path below which the declared endpoints are.",
    defaultText: "`/api`",
  }),
  endpoints: settingOf(
    {
      // Handlers are functions, which a schema cannot describe: `endpointsFault` checks the whole list.
      schema: Type.Unsafe<readonly EndpointDeclaration[]>(Type.Any()),
      problem: (_name, value) => endpointsFault(value),
      help: "The application's declared endpoints.",
      defaultText: "none: see [endpoints.md](endpoints.md)",
    },
    (input): readonly EndpointDeclaration[] => Object.freeze([...(input ?? [])]),
  ),
  /** By pattern, the first that matches: how much history a channel keeps, and who hears of its members. */
  channels: settingOf(
    {
      schema: Type.Array(Channel),
      help: "Settings of channels by the pattern of their names; the first that matches counts.",
      defaultText:
        "none: every channel keeps its last 1,000 messages for 2 minutes, and tells up to 500 members of each other",
    },
    (input): readonly ChannelDeclaration[] => Object.freeze([...(input ?? [])]),
  ),
  logLevel: setting({
    schema: Type.Union([
      Type.Literal("silent"),
      Type.Literal("fatal"),
      Type.Literal("error"),
      Type.Literal("warn"),
      Type.Literal("info"),
      Type.Literal("debug"),
    ]),
    fallback: "info",
    environment: "SLUICE_LOG_LEVEL",
    flag: "L",
    help: "How much is written to the log.",
    defaultText: "`info` (or `silent`, `fatal`, `error`, `warn`, `debug`)",
  }),
};
