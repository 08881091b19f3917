/**
 * The one table of refusals. A code is stable: clients may switch on it. The message here is the general
 * one; the place that refuses may give a more precise text, never a secret.
 */
export const ERROR_TABLE = {
  // Who: the key itself.
  missing_api_key: { status: 401, retry: false, message: "send an API key" },
  invalid_api_key: { status: 401, retry: false, message: "this API key is not known here" },
  disabled_api_key: {
    status: 401,
    retry: false,
    message: "this API key is disabled: enable it to use it again",
  },
  expired_api_key: {
    status: 401,
    retry: false,
    message: "this API key has expired: extend it or use another",
  },

  missing_admin_token: {
    status: 401,
    retry: false,
    message: "send the admin token as Authorization: Bearer <token>",
  },
  invalid_admin_token: { status: 401, retry: false, message: "this is not the admin token" },
  foreign_origin: {
    status: 403,
    retry: false,
    message: "a session is for pages of the console's own origin: open the console there, or set adminOrigin",
  },
  unknown_host: {
    status: 421,
    retry: false,
    message: "this name is not known to the admin listener: set adminOrigin to the origin that you use",
  },

  // May they: the key's settings.
  realtime_not_allowed: { status: 403, retry: false, message: "turn on realtime for this key" },
  endpoint_not_allowed: { status: 403, retry: false, message: "this key may not call this endpoint" },
  missing_request_origin: {
    status: 403,
    retry: false,
    message: "this key needs a request from one of its web domains",
  },
  domain_not_authorized: {
    status: 403,
    retry: false,
    message: "add this origin to the key's authorized domains",
  },
  missing_client_ip: { status: 403, retry: false, message: "the client's address is not known" },
  ip_not_authorized: { status: 403, retry: false, message: "add this address to the key's authorized IPs" },
  channel_not_allowed: { status: 403, retry: false, message: "this key's channel rules do not grant this" },

  // How often.
  rate_limit_exceeded: { status: 429, retry: true, message: "too many requests: slow down" },
  too_many_connections: { status: 429, retry: true, message: "too many connections: try again later" },
  too_many_connections_per_address: {
    status: 429,
    retry: true,
    message: "this address has as many connections as it may have: try again later",
  },
  too_many_connections_per_key: {
    status: 429,
    retry: true,
    message: "this key has as many connections as it may have: try again later",
  },

  too_many_secrets: {
    status: 409,
    retry: false,
    message: "this key has too many secrets: let one end first",
  },
  too_many_channels: {
    status: 429,
    retry: true,
    message:
      "the server has as many channels as it takes of this key or address: leave some, or try again later",
  },
  too_many_channels_per_connection: {
    status: 429,
    retry: false,
    message: "this connection is in as many channels as it may be in: leave some first",
  },

  // What was sent.
  invalid_request: { status: 400, retry: false, message: "the request is not well-formed" },
  invalid_payload: { status: 400, retry: false, message: "the payload is not what this event takes" },
  invalid_channel: { status: 400, retry: false, message: "this is not a channel name" },
  invalid_event_name: { status: 400, retry: false, message: "this is not an event name" },
  reserved_event: { status: 400, retry: false, message: "this event name is reserved" },
  ambiguous_target: {
    status: 400,
    retry: false,
    message: "the request target can be read in more than one way",
  },
  headers_too_large: { status: 431, retry: false, message: "the head of the request is too large" },
  expectation_failed: { status: 417, retry: false, message: "the only Expect is 100-continue" },
  request_timeout: { status: 408, retry: true, message: "the request did not arrive in time" },
  payload_too_large: { status: 413, retry: false, message: "the payload is too large" },
  unsupported_media_type: { status: 415, retry: false, message: "send application/json" },
  not_found: { status: 404, retry: false, message: "there is nothing here" },
  not_a_member: { status: 409, retry: false, message: "join the channel first" },
  id_conflict: { status: 409, retry: false, message: "this id was used for another message" },
  unknown_event: { status: 400, retry: false, message: "the server does not know this event" },
  unsupported: { status: 501, retry: false, message: "this server does not support this yet" },
  invalid_settings: { status: 400, retry: false, message: "the settings have faults" },
  version_required: { status: 428, retry: false, message: "send If-Match with the version that you read" },
  version_conflict: { status: 412, retry: false, message: "somebody changed this in between: read it again" },

  // The connection's life.
  connect_timeout: { status: 408, retry: true, message: "the connection did not authenticate in time" },
  session_mismatch: { status: 403, retry: false, message: "this request does not belong to the session" },
  invalid_namespace: { status: 400, retry: false, message: "only the root namespace exists" },
  taken_over: { status: 409, retry: false, message: "this client has connected again" },
  closed_by_operator: { status: 403, retry: false, message: "an operator closed this connection" },
  slow_consumer: { status: 429, retry: true, message: "the client does not read what it is sent" },
  overloaded: {
    status: 503,
    retry: true,
    message: "the server is overloaded: try again a little later",
  },
  server_shutdown: { status: 503, retry: true, message: "the server is stopping" },

  // Faults of ours.
  unavailable: { status: 503, retry: true, message: "the key store or the broker is away: try again" },
  internal_error: { status: 500, retry: true, message: "something went wrong on the server" },
} as const;

/** A stable code of {@link ERROR_TABLE}. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** A refusal is a value: a stable code, the HTTP status it has anywhere, and a text that names the fix. */
export type Refusal = {
  readonly allowed: false;
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** Milliseconds to wait before another try has a chance. */
  readonly afterMs?: number;
};

/** Make a refusal from the table; `message` replaces the general text. */
export function refuse(code: ErrorCode, message?: string, afterMs?: number): Refusal {
  const row = ERROR_TABLE[code];
  const refusal = { allowed: false, code, status: row.status, message: message ?? row.message } as const;
  return afterMs === undefined ? refusal : { ...refusal, afterMs };
}

/** Whether a client that met this code may succeed later without anybody changing anything. */
export function isRetryable(code: ErrorCode): boolean {
  return ERROR_TABLE[code].retry;
}
