import { Type } from "typebox";
import { runsInContainer } from "./container.ts";
import { type Given, listSetting, optionalSetting, setting } from "./setting.ts";
import { hostProblem, originProblem, originsProblem } from "./value-problems.ts";

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Text = Type.String({ minLength: 1 });
const Token = Type.String({ pattern: "^[\\x21-\\x7e]{16,512}$" });

const DEFAULT_PORT = 8080;
const DEFAULT_ADMIN_HOST = "127.0.0.1";

/** Where the server listens, who reaches it, and where it keeps its keys. */
export const LISTENER_SETTINGS = {
  host: setting({
    schema: Text,
    problem: hostProblem,
    fallback: () => (runsInContainer() ? "0.0.0.0" : "127.0.0.1"),
    environment: "SLUICE_HOST",
    flag: "H",
    help: "The address that the public listener listens on.",
    defaultText: "127.0.0.1 (0.0.0.0 in a container)",
  }),
  port: setting({
    schema: Port,
    fallback: DEFAULT_PORT,
    environment: "SLUICE_PORT",
    flag: "N",
    help: "The port of the public listener.",
    defaultText: "8080",
  }),
  adminHost: setting({
    schema: Text,
    problem: hostProblem,
    fallback: DEFAULT_ADMIN_HOST,
    environment: "SLUICE_ADMIN_HOST",
    flag: "H",
    help: "The address that the admin listener listens on.",
    defaultText: "127.0.0.1",
  }),
  adminPort: setting({
    schema: Port,
    fallback: 8081,
    environment: "SLUICE_ADMIN_PORT",
    flag: "N",
    help: "The port of the admin listener.",
    defaultText: "8081",
  }),
  publicOrigins: listSetting({
    schema: Type.Array(Text, { minItems: 1, maxItems: 1_000 }),
    problem: originsProblem,
    fallback: ({ port }) => localOrigins(port),
    environment: "SLUICE_PUBLIC_ORIGINS",
    help: "The origins under which browsers reach the public listener.",
    defaultText:
      "`http://localhost:<port>` and `http://127.0.0.1:<port>`: see [origins.md](origins.md). `publicOrigin` is one of them",
  }),
  /** `lmdb:<folder>` or `memory:`. */
  store: setting({
    schema: Text,
    fallback: "lmdb:./data",
    environment: "SLUICE_STORE",
    flag: "URL",
    help: "Where API keys are kept.",
    defaultText: "`lmdb:./data`; `memory:` keeps nothing",
  }),
  keySweepSeconds: setting({
    schema: Type.Number({ minimum: 0.05, maximum: 3600 }),
    fallback: 5,
    environment: "SLUICE_KEY_SWEEP_SECONDS",
    help: "How often the keys in use are compared with the store.",
    defaultText: "5",
  }),
  /** For how many days the audit keeps what was done; 0: for ever. */
  auditDays: setting({
    schema: Type.Integer({ minimum: 0, maximum: 36_500 }),
    fallback: 400,
    environment: "SLUICE_AUDIT_DAYS",
    help: "For how many days the audit keeps what was done; 0 for ever.",
    defaultText: "400",
  }),
  trustedProxies: listSetting({
    schema: Type.Array(Text),
    fallback: [],
    environment: "SLUICE_TRUSTED_PROXIES",
    help: "Proxies whose forwarding header is believed.",
    defaultText: "none",
  }),
  forwardedHeader: setting({
    schema: Type.Union([
      Type.Literal("x-forwarded-for"),
      Type.Literal("forwarded"),
      Type.Literal("x-real-ip"),
    ]),
    fallback: "x-forwarded-for",
    environment: "SLUICE_FORWARDED_HEADER",
    help: "The one header in which trusted proxies say where a request comes from.",
    defaultText: "`x-forwarded-for` (or `forwarded`, `x-real-ip`)",
  }),
  adminToken: optionalSetting({
    schema: Token,
    environment: "SLUICE_ADMIN_TOKEN",
    isSecret: true,
    help: "The token of the admin API, if the configuration sets it.",
    defaultText: "made at the first start",
  }),
  metricsHost: setting({
    schema: Text,
    problem: hostProblem,
    fallback: ({ adminHost }) => adminHost,
    environment: "SLUICE_METRICS_HOST",
    help: "The address that the metrics listener listens on.",
    defaultText: "as `adminHost` (127.0.0.1)",
  }),
  /** Where `/metrics` is served beside the admin listener, for a collector that is not to reach the console. */
  metricsPort: optionalSetting({
    schema: Port,
    environment: "SLUICE_METRICS_PORT",
    help: "The port of a listener for /metrics alone.",
    defaultText: "none: see [metrics.md](metrics.md)",
  }),
  /** A collector's token for `/metrics`; without one the admin token opens it. */
  metricsToken: optionalSetting({
    schema: Token,
    environment: "SLUICE_METRICS_TOKEN",
    isSecret: true,
    help: "The token of /metrics, if it has one of its own.",
    defaultText: "none: the admin token opens `/metrics`",
  }),
  /** Where the console is reached from, besides `localhost` and the admin host: behind a proxy, for instance. */
  adminOrigin: optionalSetting({
    schema: Text,
    problem: originProblem,
    environment: "SLUICE_ADMIN_ORIGIN",
    help: "The origin under which the console is opened, besides localhost and the admin host.",
    defaultText: "none: the console is opened on `localhost` or the admin host",
  }),
};

/** The settings that the defaults of others follow, where they are set and where not. */
export function givenOf(input: { readonly port?: number; readonly adminHost?: string }): Given {
  return { port: input.port ?? DEFAULT_PORT, adminHost: input.adminHost ?? DEFAULT_ADMIN_HOST };
}

/** Under which browsers on this machine reach the public listener. */
export function localOrigins(port: number): readonly string[] {
  return ["localhost", "127.0.0.1"].map((name) => new URL(`http://${name}:${port}`).origin);
}
