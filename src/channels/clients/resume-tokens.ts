import { hash, timingSafeEqual } from "node:crypto";
import { randomToken } from "../../lib/random-token.ts";

/** 256 bits, for this process: its clients are not known after a restart either. */
const SECRET_BYTES = 32;

const TOKEN = /^([\w-]{22})\.([1-9]\d{0,14})\.([\w-]{43})$/;

export type ResumeProof = { readonly clientId: string; readonly generation: number };

/**
 * Tokens that prove which client somebody is: `clientId.generation.mac`. Nothing is kept of a token but the client's
 * generation, and the same generation always has the same token, so that a client that asks twice is told the same.
 */
export class ResumeTokens {
  readonly #secret = randomToken(SECRET_BYTES);

  issue(clientId: string, generation: number): string {
    const proof = `${clientId}.${generation}`;
    return `${proof}.${this.#mac(proof)}`;
  }

  /** What a token proves; undefined when this process did not issue it. */
  verify(token: string): ResumeProof | undefined {
    const [, clientId, digits, mac] = TOKEN.exec(token) ?? [];
    if (clientId === undefined || digits === undefined || mac === undefined) return undefined;
    const expected = this.#mac(`${clientId}.${digits}`);
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) return undefined;
    return { clientId, generation: Number(digits) };
  }

  /** SHA-512/256 does not show its whole state, so that a secret before the text is enough of a key. */
  #mac(proof: string): string {
    return hash("sha512-256", this.#secret + proof, "base64url");
  }
}
