import { ERROR_TABLE, type ErrorCode, isRetryable } from "../src/protocol/index.ts";

/**
 * Why a call did not succeed. `code` is stable: one of the server's (its error table), one that an endpoint
 * of the application chose, or one of {@link LocalErrorCode}. `status` is the HTTP status that the refusal
 * has anywhere, 0 when no answer of a server is behind it.
 */
export type SluiceError = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Milliseconds to wait before another try has a chance. */
  readonly afterMs?: number;
};

/** What a call resolves to. It never rejects for a refusal or an outage: look at `error` first. */
export type Result<T> =
  | { readonly data: T; readonly error: null }
  | { readonly data: null; readonly error: SluiceError };

const LOCAL_ERRORS = {
  /** No server answered: it is down, unreachable, or its answer is not readable here (CORS). */
  network_error: "the server could not be reached",
  /** The caller's signal ended the call. */
  aborted: "the call was aborted",
  /** The endpoint did not answer within `timeoutMs`. The call may have taken effect. */
  timeout: "the endpoint did not answer in time",
  /** No answer within `answerWithinMs`, or no connection within `queueForMs`. It may have taken effect if it was sent. */
  ack_timeout: "the server did not answer in time",
  /** The connection ended between sending and the answer: it may have taken effect. */
  connection_lost: "the connection was lost before the answer",
  /** There is no connection and none is being opened. */
  not_connected: "the connection is closed: call open()",
  /** Too many calls wait for the connection. */
  queue_full: "too many calls are waiting for the connection",
  /** The server ended the connection without saying why. */
  server_disconnect: "the server closed the connection",
  /** `close()` was called. */
  client_close: "this client closed the connection",
  /** The answer is not what this version of the client understands. */
  unexpected_answer: "the server's answer is not understood",
} as const;

/** Codes of errors that arise in the client itself; their status is 0. */
export type LocalErrorCode = keyof typeof LOCAL_ERRORS;

export function localError(code: LocalErrorCode, message: string = LOCAL_ERRORS[code]): SluiceError {
  return { status: 0, code, message };
}

export function success<T>(data: T): Result<T> {
  return { data, error: null };
}

export function failure<T>(error: SluiceError): Result<T> {
  return { data: null, error };
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, code);
}

/** Whether trying again may help without anybody changing anything. A code that is not known here: no. */
export function mayRetry(code: string): boolean {
  return isErrorCode(code) && isRetryable(code);
}
