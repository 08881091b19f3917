import { LIMITS, type Refusal, refuse } from "../../protocol/index.ts";
import { parseAuth } from "../transport/connect-packet.ts";
import { PENDING_TOO_LARGE } from "../transport/engine-reading.ts";

/** What a session may send in all before its CONNECT was accepted. */
const MAX_PACKETS = 16;
const MAX_BYTES = 2 * LIMITS.maxPendingPayloadBytes;

/** What a session has sent before it is connected; kept until then. */
export class PendingInput {
  #packets = 0;
  #bytes = 0;
  #auth: Readonly<Record<string, unknown>> | undefined;

  /** A packet of any kind has come. @returns why it is one too many */
  add(data: unknown): Refusal | undefined {
    this.#packets += 1;
    this.#bytes += typeof data === "string" || Buffer.isBuffer(data) ? data.length : 0;
    return this.#packets > MAX_PACKETS || this.#bytes > MAX_BYTES ? PENDING_TOO_LARGE : undefined;
  }

  /** The `auth` of CONNECT, as text. It is read here and nowhere else. @returns why it is none */
  setAuth(text: string): Refusal | undefined {
    this.#auth = parseAuth(text);
    return this.#auth === undefined
      ? refuse("invalid_payload", "auth is an object, such as { apiKey }")
      : undefined;
  }

  /** Once: the key must not live here. */
  takeAuth(): Readonly<Record<string, unknown>> {
    const auth = this.#auth ?? {};
    this.#auth = undefined;
    return auth;
  }
}
