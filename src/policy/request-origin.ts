/** The part of a request that tells its origin. Header names are in lower case, as Node gives them. */
export type OriginRequest = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

/**
 * The origin that a request has: its Origin header as sent (a repeated one is joined with commas, which never matches),
 * or undefined without one. Browsers omit Origin on same-origin GET and HEAD; `Sec-Fetch-Site: same-origin`, which pages
 * cannot set, then stands for the configured `publicOrigin`. No Host or forwarded header does. Never throws.
 */
export function requestOrigin(request: OriginRequest, publicOrigin: string): string | undefined {
  try {
    const origin: unknown = request.headers["origin"];
    if (typeof origin === "string") return origin;
    if (origin !== undefined) return Array.isArray(origin) ? origin.join(", ") : "null";
    const isSafe = request.method === "GET" || request.method === "HEAD";
    return isSafe && request.headers["sec-fetch-site"] === "same-origin" ? publicOrigin : undefined;
  } catch {
    return "null";
  }
}
