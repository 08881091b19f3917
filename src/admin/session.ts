import { createHash, randomBytes } from "node:crypto";

const COOKIE = "sluice_session";
const LIFETIME_MS = 12 * 60 * 60 * 1_000;
const MAX_SESSIONS = 1_000;

/** `token`: which admin token opened it, as a fingerprint; another token in force ends it. */
export type Session = { readonly expiresAtMs: number; readonly token: string };

/**
 * The console's sessions, in memory: whoever restarts the server signs in again. Kept by digest; bounded in number
 * (the oldest goes) and time.
 */
export class Sessions {
  readonly #now: () => number;
  readonly #sessions = new Map<string, Session>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @returns the `Set-Cookie` value of a new session. */
  open(token: string, isSecure: boolean): { readonly cookie: string; readonly expiresAt: string } {
    const secret = randomBytes(32).toString("base64url");
    const expiresAtMs = this.#now() + LIFETIME_MS;
    this.#sessions.set(digestOf(secret), { expiresAtMs, token });
    if (this.#sessions.size > MAX_SESSIONS) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest);
        break;
      }
    }
    const cookie = cookieOf(secret, LIFETIME_MS / 1_000, isSecure);
    return { cookie, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  /** The session of a `Cookie` header. Two session cookies are none: one of them was planted. */
  find(header: string | undefined): Session | undefined {
    const secret = secretOf(header);
    if (secret === undefined) return undefined;
    const digest = digestOf(secret);
    const session = this.#sessions.get(digest);
    if (session === undefined || session.expiresAtMs > this.#now()) return session;
    this.#sessions.delete(digest);
    return undefined;
  }

  /** @returns the `Set-Cookie` value that makes a browser forget. */
  end(header: string | undefined, isSecure: boolean): string {
    const secret = secretOf(header);
    if (secret !== undefined) this.#sessions.delete(digestOf(secret));
    return cookieOf("", 0, isSecure);
  }
}

function cookieOf(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? "; Secure" : "";
  return `${COOKIE}=${value}; Path=/admin/v1; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
}

function secretOf(header: string | undefined): string | undefined {
  const values = (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`))
    .map((pair) => pair.slice(COOKIE.length + 1));
  const [value, ...others] = values;
  return value === undefined || value === "" || others.length > 0 ? undefined : value;
}

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
