import type { Denial } from "../api/live-types.ts";

export const ACTIONS = [
  { value: "connect", label: "Connect" },
  { value: "endpoint", label: "Call an endpoint" },
  { value: "join", label: "Join a channel" },
  { value: "publish", label: "Publish to a channel" },
  { value: "presence", label: "See a channel's members" },
  { value: "history", label: "Read a channel's history" },
  { value: "broadcast", label: "Broadcast to everyone" },
] as const;

/** What somebody wanted to do, as text fields have it. */
export type ExplainRequest = {
  readonly action: string;
  readonly origin: string;
  readonly ip: string;
  readonly endpoint: string;
  readonly channel: string;
};

export const NO_REQUEST: ExplainRequest = {
  action: "connect",
  origin: "",
  ip: "",
  endpoint: "",
  channel: "",
};

export const needsEndpoint = (action: string): boolean => action === "endpoint";
export const needsChannel = (action: string): boolean =>
  action === "join" || action === "publish" || action === "presence" || action === "history";

/** As the API takes it: what is empty was not sent. */
export function bodyOf(request: ExplainRequest): Record<string, string | null> {
  const { action, origin, ip, endpoint, channel } = request;
  return {
    action,
    ip: ip.trim() === "" ? null : ip.trim(),
    ...(origin.trim() === "" ? {} : { origin: origin.trim() }),
    ...(needsEndpoint(action) ? { endpoint: endpoint.trim() } : {}),
    ...(needsChannel(action) ? { channel } : {}),
  };
}

/** The address of the page that explains a refusal, filled in with it. */
export function explainLink(denial: Denial): string {
  const { keyId, origin, address, endpoint, channel } = denial;
  // Whoever failed before a key was known wanted to connect, or to call what the refusal names.
  const action =
    denial.action === "authenticate" ? (endpoint === null ? "connect" : "endpoint") : denial.action;
  const query = new URLSearchParams({ action, ask: "1" });
  const parts = { keyId, origin, ip: address, endpoint, channel };
  for (const [name, value] of Object.entries(parts)) if (value !== null) query.set(name, value);
  return `/refusals/explain?${query}`;
}

export function requestOf(query: URLSearchParams): ExplainRequest {
  const read = (name: string): string => query.get(name) ?? "";
  const action = ACTIONS.find(({ value }) => value === query.get("action"))?.value ?? "connect";
  return {
    action,
    origin: read("origin"),
    ip: read("ip"),
    endpoint: read("endpoint"),
    channel: read("channel"),
  };
}
