import { validateHeaderName, validateHeaderValue } from "node:http";
import type { FastifyReply } from "fastify";

/** Of one connection, not of an answer (RFC 9110, 7.6.1), and what the server says itself. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "x-content-type-options",
]);

/**
 * What describes the bytes of a body is the server's word: a handler that passes on what `fetch` gave it has the headers of other
 * bytes, and a length that is wrong lets a client take the rest of one answer for the next (RFC 9112, 6.3).
 */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  "content-length",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  // Each goes out only after it was seen to be true.
  "content-encoding",
  "content-range",
]);

/** What the server has said of its own limits stays so; where it has said nothing, an application may. */
const LIMIT_HEADERS: ReadonlySet<string> = new Set(["ratelimit", "ratelimit-policy", "retry-after"]);

/** `bytes 0-99/1234` of a 206, `bytes *\/1234` of a 416. */
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/;
const UNSATISFIED_RANGE = /^bytes \*\/\d{1,15}$/;

/**
 * Those headers of a handler's answer that are the application's to set.
 * @throws what names a header that cannot be sent, before any was set
 */
export function ownHeaders(reply: FastifyReply, all: Headers, vary: string): Headers {
  const ofConnection = (all.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const own = new Headers();
  for (const [name, value] of all) {
    const isForeign =
      OF_THE_SERVER.has(name) ||
      OF_THE_BYTES.has(name) ||
      name.startsWith("proxy-") ||
      ofConnection.includes(name) ||
      (LIMIT_HEADERS.has(name) && reply.hasHeader(name));
    if (isForeign) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    own.append(name, value);
  }
  // What the decision depended on stays said, whatever else the handler's answer depends on.
  if (own.has("vary")) own.append("vary", vary);
  return own;
}

/** The headers describe the bytes before they were decoded: the tag is no longer one of these bytes, and ranges of them do not exist. */
export function withoutEncodedBytes(headers: Headers): void {
  const etag = headers.get("etag");
  if (etag?.startsWith('"') === true) headers.set("etag", `W/${etag}`);
  headers.delete("accept-ranges");
}

export type PartialContent = { readonly contentRange: string; readonly bytes: number };

/** The part that a 206 says it has; undefined when it cannot be read or says nothing sensible. */
export function partOf(contentRange: string | null): PartialContent | undefined {
  const [whole, first, last, size] = CONTENT_RANGE.exec(contentRange ?? "") ?? [];
  if (whole === undefined) return undefined;
  const bytes = Number(last) - Number(first) + 1;
  const isWithin = bytes > 0 && (size === "*" || Number(last) < Number(size));
  return isWithin ? { contentRange: whole, bytes } : undefined;
}

/** What a 416 says of the length of the whole. */
export function unsatisfiedRange(contentRange: string | null): string | undefined {
  return contentRange !== null && UNSATISFIED_RANGE.test(contentRange) ? contentRange : undefined;
}
