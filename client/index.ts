import { Endpoint } from "./endpoint.ts";
import { type ClientOptions, settle } from "./options.ts";
import { Realtime } from "./realtime.ts";

export type {
  BroadcastMessage,
  ChannelMessage,
  ErrorCode,
  HttpSender,
  Member,
  PresenceCount,
  PresenceEvent,
  Sender,
} from "../src/protocol/index.ts";
export type { Joined, MembersPage, Sent } from "./answers.ts";
export type { Closing, ConnectionState } from "./connection.ts";
export type { Endpoint, EndpointOptions } from "./endpoint.ts";
export type { IncomingMessage, MessageObject } from "./events.ts";
export type { Off } from "./listeners.ts";
export type { ClosedChannel, Disconnect, Gap, RealtimeError } from "./notices.ts";
export type { ClientOptions, JoinOptions, MembersOptions, SendOptions, UpdateOptions } from "./options.ts";
export type { Identity, Realtime } from "./realtime.ts";
export type { LocalErrorCode, Result, SluiceError } from "./result.ts";

export type Client = { readonly realtime: Realtime; readonly endpoint: Endpoint };

/**
 * A client of a Sluice server.
 *
 * @param baseUrl where the server is, for instance `https://realtime.example.com`; in a browser it may be
 *   relative to the page. Throws a TypeError when it is no http or https URL.
 * @param apiKey the key's secret, or null where the server asks for none
 */
export function createClient(baseUrl: string, apiKey: string | null, options: ClientOptions = {}): Client {
  const settings = settle(baseUrl, apiKey, options);
  return { realtime: new Realtime(settings), endpoint: new Endpoint(settings) };
}
