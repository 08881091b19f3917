import type { FastifyRequest } from "fastify";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Whether a request that brings the console's cookie comes from the console itself. A browser sends the cookie along to every port
 * of a host, and SameSite trusts them all. Whatever changes something needs the exact Origin. Reading needs
 * `Sec-Fetch-Site: same-origin`, or `none`: somebody typed the address. Where a browser sends neither (an old one, or plain http to another
 * machine), a page elsewhere could cause a read but not see its answer, since that takes a request with an Origin.
 */
export function isFromConsole(request: FastifyRequest, origins: readonly string[]): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  const isSafe = SAFE_METHODS.has(request.method);
  if (site !== undefined && site !== "same-origin" && !(isSafe && site === "none")) return false;
  if (origin === undefined) return isSafe;
  return countOf(request, "origin") === 1 && origins.includes(origin);
}

/** How many header lines of this name a request has. */
export function countOf(request: FastifyRequest, name: string): number {
  const { rawHeaders } = request.raw;
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
