import type { IncomingHttpHeaders } from "node:http";

/** What a page of another origin may read of an answer's headers. */
export const EXPOSED_HEADERS = ["Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"] as const;
export const CROSS_ORIGIN_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export const PREFLIGHT_SECONDS = 600;

/** The headers by which a page of any origin may read an answer of the public listener. */
export function crossOriginHeaders({ origin }: IncomingHttpHeaders): Record<string, string> {
  return {
    vary: "Origin",
    "access-control-allow-origin": origin ?? "*",
    ...(origin === undefined ? {} : { "access-control-allow-credentials": "true" }),
    "access-control-expose-headers": EXPOSED_HEADERS.join(", "),
  };
}

export function isPreflight(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  return (
    method === "OPTIONS" &&
    headers.origin !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

/** The answer to a preflight: any page may ask, because the key decides and a preflight runs nothing. */
export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const wanted = headers["access-control-request-headers"];
  return {
    ...crossOriginHeaders(headers),
    "access-control-allow-methods": CROSS_ORIGIN_METHODS.join(", "),
    ...(wanted === undefined ? {} : { "access-control-allow-headers": wanted }),
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
}
