import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import {
  PROBLEM_MEDIA_TYPE,
  problemOf,
  type Refusal,
  rawProblemResponse,
  refusalHeaders,
  refuse,
} from "../protocol/index.ts";
import { crossOriginHeaders, isPreflight, preflightHeaders } from "./cross-origin.ts";

/** Answers before routing. On the public listener a page of any origin may read why. */
export function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  isCrossOrigin: boolean,
): void {
  if (isCrossOrigin && isPreflight(request.method, request.headers)) {
    // The page learns the reason from its call; a preflight that fails would hide it.
    response.writeHead(204, preflightHeaders(request.headers)).end();
    return;
  }
  const body = JSON.stringify(problemOf(refusal));
  const headers = {
    ...refusalHeaders(refusal),
    ...(isCrossOrigin ? crossOriginHeaders(request.headers) : {}),
    "x-content-type-options": "nosniff",
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": Buffer.byteLength(body),
  };
  response.writeHead(refusal.status, headers).end(body);
}

/** Ends a connection that wished to be upgraded. */
export function endWith(socket: Duplex, refusal: Refusal): void {
  socket.on("error", () => socket.destroy());
  socket.end(rawProblemResponse(refusal), () => socket.destroy());
}

/** What Node's parser or clock could not take, as a refusal. */
export function parserRefusal(code: string | undefined): Refusal {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return refuse("request_timeout");
  if (code === "HPE_HEADER_OVERFLOW") return refuse("headers_too_large");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return refuse("payload_too_large");
  return refuse("invalid_request");
}

/** The same as text. Whose page it is was not read, so any may read it that asks without credentials. */
export function rawRefusal(refusal: Refusal, isCrossOrigin: boolean): string {
  return rawProblemResponse(refusal, isCrossOrigin ? { "access-control-allow-origin": "*" } : {});
}
