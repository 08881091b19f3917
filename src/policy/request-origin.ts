type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The part of a request that tells its origin. Header names are in lower case, as Node gives them. */
export type OriginRequest = {
  readonly method: string;
  readonly headers: Headers;
};

/**
 * The origin by which a request is decided: its Origin header as sent, or undefined without one. Browsers omit Origin on
 * same-origin GET and HEAD, and say `Sec-Fetch-Site: same-origin`, which pages cannot set. Such a request is decided as the
 * one of the configured public origins whose host the Host header names. Host only selects among them; no forwarded header
 * does even that. Never throws.
 *
 * @param publicOrigins as browsers write them: lower case, without a default port
 */
export function requestOrigin(
  request: OriginRequest,
  publicOrigins: string | readonly string[],
): string | undefined {
  try {
    const { method, headers } = request;
    const origin = originHeader(headers);
    if (origin !== undefined) return origin;
    const isSafe = method === "GET" || method === "HEAD";
    if (!isSafe || headers["sec-fetch-site"] !== "same-origin") return undefined;
    return ownOrigin(headers, publicOrigins);
  } catch {
    return "null";
  }
}

/** The Origin header as sent, or undefined without one. A repeated one is joined with commas, which never matches. */
export function originHeader(headers: Headers): string | undefined {
  const origin: unknown = headers["origin"];
  if (typeof origin === "string" || origin === undefined) return origin;
  return Array.isArray(origin) ? origin.join(", ") : "null";
}

/**
 * The public origin that a request was sent to, as its Host header names it. A loopback Host is what a proxy on this machine writes that
 * does not pass Host on, and no Host at all says as little: there is no choice then but the only public origin.
 */
export function ownOrigin(headers: Headers, publicOrigins: string | readonly string[]): string | undefined {
  const origins = typeof publicOrigins === "string" ? [publicOrigins] : publicOrigins;
  const host: unknown = headers["host"] ?? "localhost";
  if (typeof host !== "string") return undefined;
  const asked = host.toLowerCase();
  const named = origins.find((origin) => isHostOf(origin, asked));
  return named ?? (origins.length === 1 && LOOPBACK.test(asked) ? origins[0] : undefined);
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?$/;

function isHostOf(origin: string, host: string): boolean {
  const [scheme, own] = origin.split("://");
  // A client may name the port that the scheme has anyway.
  return host === own || host === `${own}:${scheme === "https" ? 443 : 80}`;
}
