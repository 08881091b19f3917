import { isChannelName } from "../protocol/index.ts";
import type { Policy } from "./compile.ts";
import { quote } from "./fault.ts";
import { canonicalOrigin } from "./origin.ts";
import { type AccessRequest, type ChannelAccess, type DenialCode, isRealtimeAction } from "./request.ts";

// What a denial says: the fix, in words of the settings, with the request's text cut and cleaned.

export const UNREADABLE = "the request cannot be read, so it is not allowed";

export function disabledMessage(policy: Policy): string {
  const fault = policy.faults[0];
  if (fault === undefined) return "this key is disabled: enable it to use it again";
  return `the settings stored for this key cannot be read (${fault.pointer || "(root)"} ${fault.message}): save them again`;
}

export function expiredMessage(): string {
  return "this key has expired: extend it or use another";
}

export function endpointMessage(policy: Policy, request: AccessRequest): string {
  const { endpoint } = request;
  if (typeof endpoint !== "object" || endpoint === null) return "no declared endpoint matches this request";
  const route = `${quote(endpoint.method)} ${quote(endpoint.path)}`;
  return policy.endpoints.mode === "custom-excluded"
    ? `take ${route} (${quote(endpoint.id)}) off this key's excluded endpoints`
    : `add ${route} (${quote(endpoint.id)}) to this key's allowed endpoints`;
}

export function realtimeMessage(action: unknown): string {
  if (action === "connect") return "turn on realtime for this key";
  return isRealtimeAction(action)
    ? "turn on realtime for this key: channels need it, also over HTTP without a connection"
    : `"${quote(action)}" is no action that this server knows`;
}

export function originCode(origin: unknown): DenialCode {
  return origin === undefined || origin === null ? "missing_request_origin" : "domain_not_authorized";
}

export function originMessage(origin: unknown): string {
  if (origin === undefined || origin === null) {
    return "this key is for its authorized domains, and the request has no Origin: send it from a page of theirs, or authorize all domains";
  }
  if (typeof origin !== "string") return "the request's Origin is not text";
  if (origin === "null") return 'the page has the opaque origin "null", which cannot be authorized';
  if (origin.includes(",")) return "the request has more than one Origin, which never matches";
  const canonical = canonicalOrigin(origin);
  if (canonical === null) {
    return `"${quote(origin)}" is no origin that can be authorized: one is scheme://host[:port], without a trailing dot`;
  }
  return `add ${quote(canonical)} to this key's authorized domains`;
}

export function addressCode(place: 0 | -1): DenialCode {
  return place === 0 ? "ip_not_authorized" : "missing_client_ip";
}

export function addressMessage(place: 0 | -1, ip: unknown): string {
  return place === 0
    ? `add ${quote(ip)} to this key's authorized IPs`
    : "this key is for its authorized IPs, and the client's address is not known: declare the proxy in trustedProxies, or authorize all IPs";
}

export function channelMessage(action: ChannelAccess, channel: unknown): string {
  if (action === "broadcast")
    return 'grant "broadcast" with the pattern "**" in one of this key\'s channel rules';
  return isChannelName(channel)
    ? `grant "${action}" on ${quote(channel)} in one of this key's channel rules`
    : `"${quote(channel)}" is not a channel name`;
}

/** Of a broadcast over HTTP that nobody could hear. */
export function unheardMessage(): string {
  return 'this key\'s broadcasts reach its own connections alone, and it has none here: set broadcastTo to "everyone" to reach everyone connected';
}
