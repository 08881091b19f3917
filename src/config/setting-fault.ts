import { isIP } from "node:net";
import { inspect } from "node:util";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { placedMessages } from "../lib/schema-errors.ts";
import { endpointsFault } from "./endpoint-declaration.ts";

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const MaxConnections = Type.Integer({ minimum: 0, maximum: 10_000_000 });
const Text = Type.String({ minLength: 1 });
const Token = Type.String({ pattern: "^[\\x21-\\x7e]{16,512}$" });
const Share = Type.Number({ exclusiveMinimum: 0, maximum: 1 });
const DelayMs = Type.Number({ minimum: 10, maximum: 600_000 });
/** The values from which the three stages of overload begin. */
const stages = (value: typeof Share) => Type.Optional(Type.Tuple([value, value, value]));

/** The scalar settings; `endpoints` hold functions and are checked by hand. */
const SCHEMA = {
  host: Text,
  port: Port,
  adminHost: Text,
  adminPort: Port,
  publicOrigin: Text,
  publicOrigins: Type.Array(Text, { minItems: 1, maxItems: 1_000 }),
  store: Text,
  keySweepSeconds: Type.Number({ minimum: 0.05, maximum: 3600 }),
  auditDays: Type.Integer({ minimum: 0, maximum: 36_500 }),
  trustedProxies: Type.Array(Text),
  forwardedHeader: Type.Union([
    Type.Literal("x-forwarded-for"),
    Type.Literal("forwarded"),
    Type.Literal("x-real-ip"),
  ]),
  adminToken: Token,
  metricsHost: Text,
  metricsPort: Port,
  metricsToken: Token,
  adminOrigin: Text,
  realtime: Type.Boolean(),
  keyRequired: Type.Boolean(),
  apiKeyInQuery: Type.Boolean(),
  connectTimeoutMs: Type.Integer({ minimum: 100, maximum: 60_000 }),
  pingIntervalMs: Type.Integer({ minimum: 1_000, maximum: 300_000 }),
  pingTimeoutMs: Type.Integer({ minimum: 1_000, maximum: 300_000 }),
  maxPendingPerAddress: Type.Integer({ minimum: 1 }),
  maxConnections: MaxConnections,
  maxConnectionsPerAddress: MaxConnections,
  maxConnectionsPerKey: MaxConnections,
  maxHistoryBytes: Type.Integer({ minimum: 64 * 1024, maximum: 1024 ** 4 }),
  maxDisconnectedBytes: Type.Integer({ minimum: 64 * 1024, maximum: 1024 ** 4 }),
  maxChannels: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  maxMemberships: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  maxIdleChannels: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  maxMessageIds: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  maxOutboundBytes: Type.Integer({ minimum: 16 * 1024, maximum: 1024 ** 3 }),
  overload: Type.Union([
    Type.Literal(false),
    Type.Object(
      { heap: stages(Share), memory: stages(Share), loopDelay: stages(DelayMs), descriptors: stages(Share) },
      { additionalProperties: false },
    ),
  ]),
  maxPresenceDeliveriesPerSecond: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
  maxTcpConnections: MaxConnections,
  maxUnsentHttpBytes: Type.Integer({ minimum: 1024 * 1024, maximum: 1024 ** 4 }),
  maxUnreadMs: Type.Integer({ minimum: 100, maximum: 600_000 }),
  maxUnsentBytes: Type.Integer({ minimum: 1024 * 1024, maximum: 1024 ** 4 }),
  maxRequestsPerSecond: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
  maxReceivedBytesPerSecond: Type.Integer({ minimum: 16 * 1024, maximum: 1024 ** 4 }),
  maxWaitingBytes: Type.Integer({ minimum: 16 * 1024 * 1024, maximum: 1024 ** 4 }),
  // No dot segments, and none of the prefixes that the server has itself.
  endpointPrefix: Type.String({
    pattern: "^(?!/(channels|sdk|realtime|agnost|healthz|readyz)(/|$))(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$",
  }),
  channels: Type.Array(
    Type.Object(
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
    ),
  ),
  logLevel: Type.Union(
    ["silent", "fatal", "error", "warn", "info", "debug"].map((level) => Type.Literal(level)),
  ),
};
const CHECKS = new Map(Object.entries(SCHEMA).map(([name, schema]) => [name, Compile(schema)]));

/** Why a value cannot be that of a setting of the configuration. */
export function settingFault(name: string, value: unknown): string | undefined {
  if (name === "endpoints") return endpointsFault(value);
  const check = CHECKS.get(name);
  if (check === undefined) return `"${name}" is not a setting of Sluice`;
  if (!check.Check(value)) {
    const reason = placedMessages(check.Errors(value))
      .map(({ pointer, message }) => (pointer === "" ? message : `${pointer} ${message}`))
      .join(", ");
    // A token is a secret: its value is not repeated.
    const shown =
      name === "adminToken" || name === "metricsToken"
        ? "the value"
        : inspect(value, { depth: 2, maxStringLength: 200 });
    return `"${name}": ${shown} cannot be used: ${reason}`;
  }
  if (name === "overload") return overloadFault(value);
  if (name === "publicOrigin" || name === "adminOrigin") return originFault(name, value);
  if (name === "publicOrigins" && Array.isArray(value))
    return value.map((origin) => originFault(name, origin)).find((fault) => fault !== undefined);
  if (name === "host" || name === "adminHost" || name === "metricsHost") return hostFault(name, value);
  return undefined;
}

function overloadFault(value: unknown): string | undefined {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  for (const [resource, stages] of entries) {
    const values: readonly unknown[] = Array.isArray(stages) ? stages : [];
    const isRising = values.every((one, index) => index === 0 || Number(one) >= Number(values[index - 1]));
    if (!isRising) return `"overload": the values of ${resource} do not rise from stage to stage`;
  }
  return undefined;
}

function originFault(name: string, value: unknown): string | undefined {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol) && url.origin === value)
    return undefined;
  return `"${name}": ${JSON.stringify(value)} is not an origin such as https://rt.example.com`;
}

function hostFault(name: string, value: unknown): string | undefined {
  const isHost =
    typeof value === "string" &&
    (isIP(value) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value));
  return isHost ? undefined : `"${name}": ${JSON.stringify(value)} is not a host`;
}
