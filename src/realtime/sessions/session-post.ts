import type { IncomingMessage, ServerResponse } from "node:http";
import { LIMITS, type Refusal, refuse } from "../../protocol/index.ts";
import { PENDING_TOO_LARGE } from "../transport/engine-reading.ts";
import { PostedPayload } from "../transport/posted-payload.ts";
import type { EngineSession } from "./engine-session.ts";

/**
 * A poller posts packets: they are read and handed on when its session has room for them.
 * @returns whether the request is seen to; Engine.IO refuses the others
 */
export function takePost(
  session: EngineSession,
  request: IncomingMessage,
  response: ServerResponse,
  answer: (refusal: Refusal) => void,
): boolean {
  const { conn, state } = session;
  const { transport } = conn;
  if (transport.name !== "polling" || request.headers["content-type"] === "application/octet-stream")
    return false;
  if (session.post !== undefined) {
    answer(refuse("invalid_request", "send one POST of a session at a time"));
    conn.close(true);
    return true;
  }
  const isConnected = state === "connected";
  const maxBytes = isConnected ? LIMITS.maxPayloadBytes : LIMITS.maxPendingPayloadBytes;
  const payload = new PostedPayload(
    request,
    response,
    transport,
    {
      get hasRoom() {
        return !session.isEnding && (session.state === "pending" || session.intake.hasRoom);
      },
      get isEnding() {
        return session.isEnding;
      },
      hold(bytes) {
        if (isConnected) session.intake.hold(bytes);
      },
      came() {
        if (session.state === "connected") session.intake.take(payload);
        else payload.advance();
      },
      ended() {
        session.post = undefined;
        if (session.state !== "pending") session.intake.payloadEnded();
      },
      failed(refusal) {
        if (refusal === undefined) {
          conn.close(true);
          return;
        }
        // The rest of the body is not waited for.
        response.shouldKeepAlive = false;
        answer(isConnected ? refusal : PENDING_TOO_LARGE);
        if (session.state === "pending") session.refuse(PENDING_TOO_LARGE);
      },
    },
    maxBytes,
  );
  session.post = payload;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) payload.refuseLength();
  else if (isConnected) session.intake.take(payload);
  else payload.advance();
  return true;
}
