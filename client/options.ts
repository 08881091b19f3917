import { REALTIME_PATH } from "../src/protocol/index.ts";

/** Everything has a default. */
export type ClientOptions = {
  /** Get back the messages and presence events that this client causes itself. Default true. */
  readonly echoMessages?: boolean;
  /**
   * Open the realtime connection when `realtime` is first used (a call or a listener). Default true; false
   * leaves it to `open()`. A client that only calls endpoints never opens one.
   */
  readonly autoOpen?: boolean;
  /** How long a realtime call that was sent waits for its answer, in ms; `Infinity`: for ever. Default 10,000. */
  readonly answerWithinMs?: number;
  /** How long a realtime call waits for a connection, in ms. Default 60,000. A join goes on trying behind it. */
  readonly queueForMs?: number;
  /** Both of them; what is set by its own name counts. */
  readonly ackTimeoutMs?: number;
  /** How long an endpoint call may take, in ms; `Infinity`: as long as the platform lets it. Default 30,000. */
  readonly endpointTimeoutMs?: number;
  /** Say nothing on the console when a refusal has no listener. */
  readonly quiet?: boolean;
  /** How many realtime calls may wait for the connection at once. Default 1,000. */
  readonly maxQueuedCalls?: number;
  /** In order of preference; the next is tried when one fails. Default `["websocket", "polling"]`. */
  readonly transports?: readonly ("websocket" | "polling")[];
  /** Path of the realtime server. Default: `/realtime/` below `baseUrl`. */
  readonly path?: string;
  /** Prefix of the application's endpoints below `baseUrl`. Default `/api`. */
  readonly endpointPrefix?: string;
  /** Used for endpoint calls. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
};

export type JoinOptions = {
  /** Whether this client gets its own `channel:join` or `channel:leave` back; absent: as `echoMessages` says. */
  readonly echo?: boolean;
};

export type UpdateOptions = {
  /** Whether this client gets its own `channel:update` back; absent: as `echoMessages` says. */
  readonly echo?: boolean;
};

export type SendOptions = {
  /** Whether this client gets its own message back; absent: as `echoMessages` says. */
  readonly echo?: boolean;
  /** The message's id, to tell a repetition from a new message; absent: the server makes one. */
  readonly id?: string;
};

export type MembersOptions = {
  /** How many at most, 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** Continue behind this point: the `next` of the page before. */
  readonly after?: string;
};

export type Settings = Required<Omit<ClientOptions, "ackTimeoutMs">> & {
  readonly origin: string;
  readonly endpointBase: string;
  readonly apiKey: string | null;
};

/** Throws a TypeError for a `baseUrl` that is not one: that is a mistake in the program, not a refusal. */
export function settle(baseUrl: string, apiKey: string | null, given: ClientOptions | null): Settings {
  const options = given ?? {};
  const base = new URL(baseUrl, globalThis.location?.href);
  if (base.protocol !== "http:" && base.protocol !== "https:") {
    throw new TypeError(`baseUrl begins with http:// or https://, not ${base.protocol}`);
  }
  const folder = base.pathname.replace(/\/+$/, "");
  const prefix = options.endpointPrefix ?? "/api";
  return {
    origin: base.origin,
    endpointBase: `${base.origin}${folder}${prefix.replace(/\/+$/, "")}`,
    apiKey: apiKey || null,
    echoMessages: options.echoMessages ?? true,
    autoOpen: options.autoOpen ?? true,
    answerWithinMs: options.answerWithinMs ?? options.ackTimeoutMs ?? 10_000,
    queueForMs: options.queueForMs ?? options.ackTimeoutMs ?? 60_000,
    endpointTimeoutMs: options.endpointTimeoutMs ?? 30_000,
    quiet: options.quiet ?? false,
    maxQueuedCalls: options.maxQueuedCalls ?? 1000,
    transports: options.transports ?? ["websocket", "polling"],
    path: options.path ?? `${folder}${REALTIME_PATH}`,
    endpointPrefix: prefix,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
}
