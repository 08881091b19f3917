import { ERROR_TABLE, type Refusal } from "./error-table.ts";

/** RFC 9457 problem details, with our stable `code`. */
export type Problem = {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
};

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

export function problemOf(refusal: Refusal): Problem {
  const { code, status, message } = refusal;
  return { type: "about:blank", title: ERROR_TABLE[code].message, status, detail: message, code };
}

/** What of a request an answer to a key depends on, for whoever caches what may be cached. */
export const KEYED_VARY = "Origin, Authorization, X-API-Key";

/**
 * The headers that a refusal brings along on HTTP: a challenge with 401 (RFC 9110, 11.6.1), a time with 429 and 503. No
 * cache keeps one: the next request may be allowed.
 */
export function refusalHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (refusal.status === 401) {
    const error = refusal.code === "missing_api_key" ? "" : ', error="invalid_token"';
    headers["www-authenticate"] = `Bearer realm="sluice"${error}`;
  }
  if (refusal.afterMs !== undefined) headers["retry-after"] = String(Math.ceil(refusal.afterMs / 1000));
  return headers;
}

/** The same refusal as the text of an HTTP/1.1 response, for a socket that has no response object. */
export function rawProblemResponse(refusal: Refusal, more: Readonly<Record<string, string>> = {}): string {
  const body = JSON.stringify(problemOf(refusal));
  const headers = {
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": String(new TextEncoder().encode(body).byteLength),
    connection: "close",
    ...refusalHeaders(refusal),
    ...more,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${refusal.status} Refused\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}
