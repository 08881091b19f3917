import { createHash, randomBytes } from "node:crypto";

const COOKIE = "sluice_session";
/** Under TLS: a page without TLS cannot set a cookie of this name. Not `__Host-`, which would go to every path of the host. */
const SECURE_COOKIE = `__Secure-${COOKIE}`;
const SECRET = /^[\w-]{43}$/;
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

  /**
   * The session of a `Cookie` header. Cookies know no ports: a page on another port of the host can set one of the same name for a
   * longer path, which comes first. So each is tried; how many there can be, the bound of a request's head says.
   */
  find(header: string | undefined): Session | undefined {
    for (const secret of secretsOf(header)) {
      const digest = digestOf(secret);
      const session = this.#sessions.get(digest);
      if (session === undefined) continue;
      if (session.expiresAtMs > this.#now()) return session;
      this.#sessions.delete(digest);
    }
    return undefined;
  }

  /** @returns the `Set-Cookie` value that makes a browser forget. */
  end(header: string | undefined, isSecure: boolean): string {
    for (const secret of secretsOf(header)) this.#sessions.delete(digestOf(secret));
    return cookieOf("", 0, isSecure);
  }
}

function cookieOf(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const [name, secure] = isSecure ? [SECURE_COOKIE, "; Secure"] : [COOKIE, ""];
  return `${name}=${value}; Path=/admin/v1; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
}

function secretsOf(header: string | undefined): string[] {
  return (header ?? "").split(";").flatMap((pair) => {
    const [name, value = "", ...rest] = pair.trim().split("=");
    const isOurs = (name === COOKIE || name === SECURE_COOKIE) && rest.length === 0;
    return isOurs && SECRET.test(value) ? [value] : [];
  });
}

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
