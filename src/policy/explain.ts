import { isChannelName } from "../protocol/index.ts";
import { channelMisses } from "./channel.ts";
import type { Policy } from "./compile.ts";
import { addressPlace, isCurrent, isEnabled, isFromOrigin, mayCall, mayUseChannel } from "./decide.ts";
import {
  addressMessage,
  channelMessage,
  disabledMessage,
  endpointMessage,
  originMessage,
  realtimeMessage,
  UNREADABLE,
} from "./denial.ts";
import { quote } from "./fault.ts";
import { formatInstant } from "./instant.ts";
import { originMisses } from "./origin-miss.ts";
import {
  type AccessRequest,
  type ChannelAccess,
  type Check,
  isChannelAction,
  isRealtimeAction,
} from "./request.ts";

/**
 * Every check in the order of {@link decide}, each with what was compared with what and what would mend it, also
 * after the first failure. All passed exactly when `decide` allows. Total; for people, so it may allocate and look
 * through lists.
 *
 * @param now milliseconds since the epoch
 */
export function explain(policy: Policy, request: AccessRequest, now: number): Check[] {
  try {
    const { action } = request;
    const checks = [
      enabledCheck(policy),
      expiryCheck(policy, now),
      action === "endpoint" ? endpointCheck(policy, request) : realtimeCheck(policy, action),
      domainCheck(policy, request.origin),
      ipCheck(policy, request.ip),
    ];
    if (isChannelAction(action)) checks.push(channelCheck(policy, action, request.channel));
    return checks;
  } catch {
    return [{ check: "request", passed: false, message: UNREADABLE }];
  }
}

function enabledCheck(policy: Policy): Check {
  const passed = isEnabled(policy);
  return { check: "enabled", passed, message: passed ? "the key is enabled" : disabledMessage(policy) };
}

function expiryCheck(policy: Policy, now: number): Check {
  const passed = isCurrent(policy, now);
  if (policy.expiresAtMs === Number.POSITIVE_INFINITY) {
    return { check: "expiry", passed, message: "the key never expires" };
  }
  const limit = formatInstant(policy.expiresAtMs);
  const isDate = typeof now === "number" && Math.abs(now) <= 8.64e15;
  const moment = isDate ? formatInstant(now) : "an unknown time";
  const fix = passed ? "yes" : "no: extend it or use another key";
  return { check: "expiry", passed, message: `${moment} is before ${limit}? ${fix}` };
}

function realtimeCheck(policy: Policy, action: unknown): Check {
  const passed = isRealtimeAction(action) && policy.allowRealtime;
  const message = passed ? "realtime is allowed" : `realtime is allowed? no: ${realtimeMessage(action)}`;
  return { check: "realtime", passed, message };
}

function endpointCheck(policy: Policy, request: AccessRequest): Check {
  const passed = mayCall(policy, request);
  const { mode } = policy.endpoints;
  const { endpoint } = request;
  const subject =
    typeof endpoint === "object" && endpoint !== null
      ? `${quote(endpoint.method)} ${quote(endpoint.path)} (${quote(endpoint.id)})`
      : "an undeclared endpoint";
  const { length } = policy.settings.endpoints.list;
  const question =
    mode === "custom-allowed"
      ? `${subject} is one of ${length} allowed endpoints?`
      : mode === "custom-excluded"
        ? `${subject} is none of ${length} excluded endpoints?`
        : `${subject} under ${mode}?`;
  return {
    check: "endpoint",
    passed,
    message: `${question} ${passed ? "yes" : `no: ${endpointMessage(policy, request)}`}`,
  };
}

function domainCheck(policy: Policy, origin: unknown): Check {
  const passed = isFromOrigin(policy, origin);
  if (policy.origins === null) return { check: "domain", passed, message: "every origin is authorized" };
  const { list } = policy.settings.domains;
  const given = typeof origin === "string" ? `origin ${quote(origin)}` : "a request without Origin";
  if (passed) return { check: "domain", passed, message: `${given} is under ${quoteSome(list)}? yes` };
  const misses = typeof origin === "string" ? originMisses(list, origin) : [];
  const message = [...misses, `${given} is under ${quoteSome(list)}? no: ${originMessage(origin)}`].join(
    "; ",
  );
  return { check: "domain", passed, message };
}

function ipCheck(policy: Policy, ip: unknown): Check {
  const place = addressPlace(policy, ip);
  if (policy.networks === null) {
    return { check: "ip", passed: place === 1, message: "every address is authorized" };
  }
  const given = typeof ip === "string" ? `address ${quote(ip)}` : "an unknown address";
  const answer = place === 1 ? "yes" : `no: ${addressMessage(place, ip)}`;
  const message = `${given} is in ${quoteSome(policy.settings.ips.list)}? ${answer}`;
  return { check: "ip", passed: place === 1, message };
}

function channelCheck(policy: Policy, action: ChannelAccess, channel: unknown): Check {
  const passed = mayUseChannel(policy, action, channel);
  const subject = action === "broadcast" ? "broadcast" : `${action} on ${quote(channel)}`;
  if (passed) {
    const rules = policy.channels === null ? "every channel is open" : "a channel rule grants it";
    const reach = action === "broadcast" ? `, ${reachOf(policy)}` : "";
    return { check: "channel", passed, message: `${subject}? yes: ${rules}${reach}` };
  }
  const misses = isChannelName(channel) ? channelMisses(policy.settings.channels ?? [], action, channel) : [];
  const reasons = [...misses, channelMessage(action, channel)].join("; ");
  return { check: "channel", passed, message: `${subject}? no: ${reasons}` };
}

/** Whom a broadcast reaches, in the words of the setting. */
function reachOf({ broadcastTo }: Policy): string {
  return broadcastTo === "everyone"
    ? 'and it reaches everyone connected (broadcastTo is "everyone")'
    : 'and it reaches the connections of this key (broadcastTo is "key"); over HTTP it is refused while there are none';
}

/** The first few entries of a list and how many more there are. */
function quoteSome(list: readonly string[]): string {
  if (list.length === 0) return "an empty list";
  const shown = list.slice(0, 3).map((one) => quote(one));
  const more = list.length - shown.length;
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} or ${more} more`;
}
