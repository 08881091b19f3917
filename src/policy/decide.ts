import { ERROR_TABLE, isChannelName } from "../protocol/index.ts";
import type { Policy } from "./compile.ts";
import {
  addressCode,
  addressMessage,
  channelMessage,
  disabledMessage,
  endpointMessage,
  expiredMessage,
  originCode,
  originMessage,
  realtimeMessage,
  UNREADABLE,
} from "./denial.ts";
import {
  type AccessRequest,
  type ChannelAccess,
  type Decision,
  type DenialCode,
  isChannelAction,
  isRealtimeAction,
} from "./request.ts";

const ALLOWED: Decision = Object.freeze({ allowed: true });

/**
 * Decide one request. Checks in order: enabled, expiry, realtime or endpoint, domain, address, channel; the first
 * failure is the decision. Total: whatever the request holds, the answer is a decision, and what is not understood
 * is denied. Allocates nothing when it allows.
 *
 * @param now milliseconds since the epoch
 */
export function decide(policy: Policy, request: AccessRequest, now: number): Decision {
  try {
    const { action } = request;
    if (!isEnabled(policy)) return deny("disabled_api_key", disabledMessage(policy));
    if (!isCurrent(policy, now)) return deny("expired_api_key", expiredMessage());
    if (action === "endpoint") {
      if (!mayCall(policy, request)) return deny("endpoint_not_allowed", endpointMessage(policy, request));
    } else if (!isRealtimeAction(action) || !policy.allowRealtime) {
      return deny("realtime_not_allowed", realtimeMessage(action));
    }
    const { origin } = request;
    if (!isFromOrigin(policy, origin)) return deny(originCode(origin), originMessage(origin));
    const { ip } = request;
    const place = addressPlace(policy, ip);
    if (place !== 1) return deny(addressCode(place), addressMessage(place, ip));
    if (isChannelAction(action)) {
      const { channel } = request;
      if (!mayUseChannel(policy, action, channel)) {
        return deny("channel_not_allowed", channelMessage(action, channel));
      }
    }
    return ALLOWED;
  } catch {
    return deny("realtime_not_allowed", UNREADABLE);
  }
}

function deny(code: DenialCode, message: string): Decision {
  return { allowed: false, code, status: ERROR_TABLE[code].status, message };
}

export function isEnabled(policy: Policy): boolean {
  return policy.enabled === true && policy.faults.length === 0;
}

/** Denied from the instant on, and whenever `now` is no finite number. */
export function isCurrent(policy: Policy, now: number): boolean {
  if (policy.expiresAtMs === Number.POSITIVE_INFINITY) return true;
  return Number.isFinite(now) && now < policy.expiresAtMs;
}

export function mayCall(policy: Policy, request: AccessRequest): boolean {
  const { endpoint } = request;
  if (typeof endpoint !== "object" || endpoint === null) return false;
  const isComplete =
    typeof endpoint.id === "string" &&
    typeof endpoint.method === "string" &&
    typeof endpoint.path === "string";
  return isComplete && policy.endpoints.allows(endpoint);
}

export function isFromOrigin(policy: Policy, origin: unknown): boolean {
  if (policy.origins === null) return true;
  return typeof origin === "string" && policy.origins.has(origin);
}

/** 1: authorized; 0: an address that is not; -1: no address. */
export function addressPlace(policy: Policy, ip: unknown): 1 | 0 | -1 {
  if (policy.networks === null) return 1;
  return typeof ip === "string" ? policy.networks.test(ip) : -1;
}

export function mayUseChannel(policy: Policy, action: ChannelAccess, channel: unknown): boolean {
  if (action === "broadcast") return policy.channels === null || policy.channels.allows(action, "");
  return isChannelName(channel) && (policy.channels === null || policy.channels.allows(action, channel));
}
