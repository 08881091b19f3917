import type { IncomingMessage, ServerResponse } from "node:http";
import {
  KEYED_VARY,
  PROBLEM_MEDIA_TYPE,
  problemOf,
  type Refusal,
  refusalHeaders,
} from "../../protocol/index.ts";

/** Any page may talk to the realtime path: the key decides, and no cookie means anything here. */
export function allowCrossOrigin(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  // A poll's answer belongs to one session of one key.
  response.setHeader("cache-control", "no-store");
  response.setHeader("vary", KEYED_VARY);
  if (origin === undefined) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-credentials", "true");
  if (request.method !== "OPTIONS") return;
  response.setHeader("access-control-allow-methods", "GET, POST");
  response.setHeader("access-control-max-age", "600");
  const headers = request.headers["access-control-request-headers"];
  if (headers !== undefined) response.setHeader("access-control-allow-headers", headers);
}

/** A refusal over HTTP. */
export function sendProblem(response: ServerResponse, refusal: Refusal): void {
  // A page of another origin could not read how long to wait.
  if (response.hasHeader("access-control-allow-origin"))
    response.setHeader("access-control-expose-headers", "Retry-After");
  response
    .writeHead(refusal.status, { "content-type": PROBLEM_MEDIA_TYPE, ...refusalHeaders(refusal) })
    .end(JSON.stringify(problemOf(refusal)));
}
