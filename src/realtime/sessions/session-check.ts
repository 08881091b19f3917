import type { Duplex } from "node:stream";
import type { Gate } from "../../gate/index.ts";
import { type Refusal, refuse } from "../../protocol/index.ts";
import type { EngineSession } from "./engine-session.ts";
import type { Whence } from "./engine-session-options.ts";

/** A request of a session that is there already. */
export type LaterRequest = {
  /** It only fetches what is there for it. */
  readonly isPoll: boolean;
  readonly whence: Whence;
  /** Of an upgrade. */
  readonly tcp: Duplex | undefined;
};

/** A poll or an upgrade of a known session: the session's key, this request's own origin and address. */
export function checkLater(
  gate: Gate,
  session: EngineSession,
  { isPoll, whence, tcp }: LaterRequest,
): Refusal | undefined {
  const { ip } = whence;
  // A request may come without Origin, as the GETs of the server's own pages do: it names no origin then, and the first that does counts.
  const origin = whence.origin ?? session.origin;
  if (session.origin !== undefined && origin !== session.origin) {
    return refuse("session_mismatch", "the session belongs to another origin");
  }
  const { identity } = session;
  if (session.state === "pending") {
    // The POST that carries CONNECT has the last word: a key for some domains needs its Origin.
    if (!isPoll) session.origin = tcp === undefined ? whence.origin : origin;
    session.ip = ip;
  } else if (session.state === "connected" && identity !== undefined) {
    const verdict = gate.recheck(identity, { action: "connect", origin, ip });
    if (verdict.allowed) {
      session.ip = ip;
      session.origin = origin;
    } else {
      // Denied wherever it comes from: the key's time is over, and its alarm has not rung yet.
      const own = gate.recheck(identity, { action: "connect", origin: session.origin, ip: session.ip });
      if (own.allowed) return verdict;
      session.endWith(own);
      return tcp === undefined ? undefined : verdict;
    }
  } else if (tcp !== undefined) {
    // A poller still has to fetch why it is closed, and one whose POST is refused gives up before.
    return refuse("session_mismatch", "the session is closing");
  }
  return undefined;
}
