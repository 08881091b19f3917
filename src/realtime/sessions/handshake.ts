import { setTimeout as delay } from "node:timers/promises";
import { type Gate, type Identity, presentedKey } from "../../gate/index.ts";
import { isRetryable, type Refusal, refuse } from "../../protocol/index.ts";
import type { FailureThrottle } from "../admission/failure-throttle.ts";
import type { EngineSession } from "./engine-session.ts";

export type Admitted = {
  readonly identity: Identity;
  readonly echo: boolean;
  readonly resume: string | undefined;
};

export type HandshakeContext = {
  readonly gate: Gate;
  readonly throttle: FailureThrottle;
  /** Give the session its seat, or say why there is none. */
  readonly seat: (
    session: EngineSession,
    identity: Identity,
    resume: string | undefined,
  ) => Refusal | undefined;
};

/** What a client asks for in its `auth`. */
type Wish = { readonly echo: boolean; readonly resume: string | undefined };

/**
 * The gate for one CONNECT: `auth` is parsed, the key authenticated, the connection decided and seated. A failure
 * beyond an address's allowance is answered late.
 */
export async function shakeHands(
  context: HandshakeContext,
  session: EngineSession,
  auth: Readonly<Record<string, unknown>>,
): Promise<Admitted | Refusal> {
  const wish = wishOf(auth);
  const result =
    "allowed" in wish
      ? wish
      : decide(
          context,
          session,
          wish,
          await context.gate.authenticate(withAuth(session, auth["apiKey"]), session),
        );
  if ("allowed" in result && !isRetryable(result.code)) {
    const delayMs = context.throttle.fail(session.addressGroup);
    if (delayMs > 0) session.giveUpPlace();
    if (delayMs > 0) await delay(delayMs, undefined, { ref: false });
  }
  return result;
}

function wishOf({ echoMessages, resume }: Readonly<Record<string, unknown>>): Wish | Refusal {
  const echo = echoMessages ?? true;
  if (typeof echo !== "boolean") return refuse("invalid_payload", "auth.echoMessages is true or false");
  if (resume === undefined || resume === null) return { echo, resume: undefined };
  if (!isToken(resume)) return refuse("invalid_payload", "auth.resume is the token of connection:ready");
  return { echo, resume };
}

function decide(
  { gate, seat }: HandshakeContext,
  session: EngineSession,
  { echo, resume }: Wish,
  identity: Identity | Refusal,
): Admitted | Refusal {
  if ("allowed" in identity) return identity;
  const request = { action: "connect", origin: session.origin, ip: session.ip } as const;
  const verdict = gate.recheck(identity, request);
  const answer = (verdict.allowed ? seat(session, identity, resume) : undefined) ?? verdict;
  gate.note(identity, request, answer);
  return answer.allowed ? { identity, echo, resume } : answer;
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 100;
}

const NO_HEADERS: readonly string[] = [];

/** One key in all: from the handshake's headers or query, or from `auth`. */
function withAuth(session: EngineSession, apiKey: unknown): ReturnType<typeof presentedKey> {
  const early = session.presented ?? { secret: undefined };
  if ("allowed" in early) return early;
  const inAuth = presentedKey({ rawHeaders: NO_HEADERS, apiKey });
  if ("allowed" in inAuth || early.secret === undefined) return inAuth;
  if (inAuth.secret === undefined || inAuth.secret === early.secret) return early;
  return refuse("invalid_api_key", "the request carries different API keys: send one");
}
