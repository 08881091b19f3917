import type { IncomingMessage } from "node:http";
import { type Refusal, refuse } from "../protocol/index.ts";
import { targetFault } from "./path-guard.ts";

/**
 * How many header lines a request may have; proxies and browsers stay below a hundred. Node stops collecting at its limit and says
 * nothing, so that a length or a key may be missing from what is left: a request with as many is refused.
 */
export const MAX_HEADER_LINES = 256;

/** Why the head of a request is not to be trusted. What follows on such a connection is not trusted either. */
export function headRefusal(request: IncomingMessage): Refusal | undefined {
  const { rawHeaders } = request;
  if (rawHeaders.length >= 2 * MAX_HEADER_LINES)
    return refuse("headers_too_large", `send fewer than ${MAX_HEADER_LINES} header lines`);
  const hosts = countLines(rawHeaders, "host");
  // RFC 9112, 3.2.
  if (hosts > 1) return refuse("invalid_request", "send one Host header");
  if (hosts === 0 && request.httpVersion === "1.1") return refuse("invalid_request", "send a Host header");
  // RFC 9112, 6.1. Node lets others pass where an upgrade is wished for.
  const coding = request.headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    return refuse("invalid_request", "the only Transfer-Encoding is chunked");
  const fault = targetFault(request.url ?? "");
  return fault === undefined ? undefined : refuse("ambiguous_target", `the request target has ${fault}`);
}

/** How often a header is there. `name` is in lower case. */
function countLines(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const other = rawHeaders[i];
    if (other?.length === name.length && other.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Whether the head announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** What else a request may wish to be upgraded to is ignored. */
export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * The head of a request without its wish to upgrade. Every other line stays as it was, in its place, so that the length of the
 * body is read again from the same lines.
 *
 * @returns a refusal for what could be read in two ways. Node's parser refuses that, too; nothing here depends on it.
 */
export function withoutUpgrade(request: IncomingMessage): string | Refusal {
  const { rawHeaders } = request;
  const framings = countLines(rawHeaders, "content-length") + countLines(rawHeaders, "transfer-encoding");
  if (framings > 1) return refuse("invalid_request", "send one Content-Length or one Transfer-Encoding");
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const value = rawHeaders[i + 1] ?? "";
    if (/[\r\n\0]/.test(value)) return refuse("invalid_request", "a header has a line break in it");
    const lower = name.toLowerCase();
    if (lower === "upgrade" || lower === "http2-settings") continue;
    const kept = lower === "connection" ? withoutUpgradeTokens(value) : value;
    if (kept !== undefined) lines.push(`${name}: ${kept}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** @returns undefined when nothing is left */
function withoutUpgradeTokens(connection: string): string | undefined {
  const kept = connection
    .split(",")
    .map((token) => token.trim())
    .filter((token) => !["upgrade", "http2-settings", ""].includes(token.toLowerCase()));
  return kept.length === 0 ? undefined : kept.join(", ");
}
