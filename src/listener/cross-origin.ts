import type { IncomingHttpHeaders } from "node:http";

/** What a page of another origin may read of an answer's headers. */
const EXPOSED_HEADERS = "Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate";
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const PREFLIGHT_SECONDS = 600;

const NO_ORIGIN: Record<string, string> = {
  vary: "Origin",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": EXPOSED_HEADERS,
};

/**
 * The headers by which a page of any origin may read an answer of the public listener, with credentials, because Agnost's SDK
 * asks with them: the key decides. Where no Origin is known, in a head that could not be read, any page may read the refusal.
 */
export function crossOriginHeaders({ origin }: IncomingHttpHeaders): Record<string, string> {
  if (origin === undefined) return NO_ORIGIN;
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": EXPOSED_HEADERS,
  };
}

export function isPreflight(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  return (
    method === "OPTIONS" &&
    headers.origin !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

/** Answers a preflight: any page may ask, because the key decides and a preflight runs nothing. */
export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const wanted = headers["access-control-request-headers"];
  return {
    ...crossOriginHeaders(headers),
    vary: "Origin, Access-Control-Request-Headers",
    "access-control-allow-methods": METHODS,
    ...(wanted === undefined ? {} : { "access-control-allow-headers": wanted }),
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
}
