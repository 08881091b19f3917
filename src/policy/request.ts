import type { ErrorCode } from "../protocol/index.ts";
import type { DeclaredEndpoint } from "./endpoint.ts";

/** What is asked of a key. `endpoint` is the declared endpoint that matched, never the raw URL. */
export type AccessRequest = {
  readonly action: "connect" | "endpoint" | "join" | "publish" | "presence" | "history" | "broadcast";
  readonly origin?: string | undefined;
  readonly ip: string | null;
  readonly endpoint?: DeclaredEndpoint | undefined;
  readonly channel?: string | undefined;
};

/** Stable codes of denials, the policy's own and those that the gate adds. */
export type DenialCode = Extract<
  ErrorCode,
  | "missing_api_key"
  | "invalid_api_key"
  | "disabled_api_key"
  | "expired_api_key"
  | "realtime_not_allowed"
  | "endpoint_not_allowed"
  | "missing_request_origin"
  | "domain_not_authorized"
  | "missing_client_ip"
  | "ip_not_authorized"
  | "channel_not_allowed"
  | "rate_limit_exceeded"
>;

/** A decision is a value. A denial's message names the fix, never a secret. */
export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly code: DenialCode;
      readonly status: 401 | 403 | 429;
      readonly message: string;
    };

/** One check of {@link explain}: what was compared with what, and the fix. */
export type Check = { readonly check: string; readonly passed: boolean; readonly message: string };

/** The actions that channel rules speak of. */
export type ChannelAccess = Exclude<AccessRequest["action"], "connect" | "endpoint">;

export function isRealtimeAction(action: unknown): action is Exclude<AccessRequest["action"], "endpoint"> {
  return action === "connect" || isChannelAction(action);
}

export function isChannelAction(action: unknown): action is ChannelAccess {
  return (
    action === "join" ||
    action === "publish" ||
    action === "presence" ||
    action === "history" ||
    action === "broadcast"
  );
}
