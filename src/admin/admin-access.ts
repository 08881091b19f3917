import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Actor, Audit } from "../observe/audit.ts";
import { normalizeAddress } from "../policy/index.ts";
import { type Refusal, refuse } from "../protocol/index.ts";
import type { AdminToken } from "./admin-token.ts";
import { AttemptLimit } from "./attempt-limit.ts";
import { SESSION_ROUTES } from "./schemas/access.ts";
import { documented } from "./scope.ts";
import { type Session, Sessions } from "./session.ts";

export type AdminAccessOptions = {
  readonly token: AdminToken;
  readonly audit: Audit;
  /** Origins that the console is served from: what a mutation by a session has to come from, to the letter. */
  readonly origins: () => readonly string[];
};

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const CLIENTS = ["cli", "console"] as const;

/**
 * The door of the admin listener: the bearer token, or a session that was opened with it. Failed attempts of an
 * address are limited.
 */
export class AdminAccess {
  readonly #options: AdminAccessOptions;
  readonly #sessions = new Sessions();
  readonly #attempts = new AttemptLimit({ burst: 30, perSecond: 2 });
  readonly #actors = new WeakMap<FastifyRequest, Actor>();
  /** Of requests that brought the token: which one, as a fingerprint. */
  readonly #tokens = new WeakMap<FastifyRequest, string>();

  constructor(options: AdminAccessOptions) {
    this.#options = options;
  }

  /** A Fastify `onRequest` hook: who does not prove that they may manage keys ends here. */
  readonly require = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const refusal = await this.#check(request);
    return refusal === undefined ? undefined : reply.refuse(refusal);
  };

  /** Of the token in force, for {@link isStillIn}. */
  fingerprint(): Promise<string> {
    return this.#options.token.fingerprint();
  }

  /** Whether what let this request in still would, for an answer that goes on: the session or the token. */
  isStillIn(request: FastifyRequest, fingerprint: string): boolean {
    const token = this.#tokens.get(request) ?? this.#sessions.find(request.headers.cookie)?.token;
    return token === fingerprint;
  }

  actorOf(request: FastifyRequest): Actor {
    return this.#actors.get(request) ?? actor(request, "admin-token");
  }

  /** `/session`: sign in with the token, look, sign out. Outside the hook: signing in proves it itself. */
  registerSession(scope: FastifyInstance): void {
    scope.post("/session", documented({ ...SESSION_ROUTES.open, security: [] }), async (request, reply) => {
      const { body } = request;
      const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
      if (typeof token !== "string") return reply.refuse(refuse("invalid_request", "send { token }"));
      const foreign = this.#foreignOrigin(request);
      if (foreign !== undefined) return reply.refuse(foreign);
      const attempt = await this.#attempt(request, token);
      if (typeof attempt !== "string") return reply.refuse(attempt);
      const { cookie, expiresAt } = this.#sessions.open(attempt, isSecure(request));
      await this.#options.audit.record({ action: "session.opened", actor: actor(request, "admin-token") });
      reply.header("set-cookie", cookie).header("cache-control", "no-store");
      return { expiresAt, address: peerOf(request) };
    });
    scope.get("/session", documented(SESSION_ROUTES.read), async (request, reply) => {
      const session = await this.#sessionOf(request);
      if (session === undefined) return reply.refuse(refuse("missing_admin_token", "sign in"));
      reply.header("cache-control", "no-store");
      return { expiresAt: new Date(session.expiresAtMs).toISOString(), address: peerOf(request) };
    });
    scope.delete("/session", documented(SESSION_ROUTES.end), async (request, reply) => {
      const foreign = this.#foreignOrigin(request);
      if (foreign !== undefined) return reply.refuse(foreign);
      reply.header("set-cookie", this.#sessions.end(request.headers.cookie, isSecure(request)));
      return reply.code(204).send();
    });
  }

  async #check(request: FastifyRequest): Promise<Refusal | undefined> {
    const { authorization } = request.headers;
    if (authorization === undefined || authorization === "") {
      if ((await this.#sessionOf(request)) === undefined) return refuse("missing_admin_token");
      const foreign = SAFE_METHODS.has(request.method) ? undefined : this.#foreignOrigin(request);
      if (foreign === undefined) this.#actors.set(request, actor(request, "session"));
      return foreign;
    }
    const [scheme = "", token = "", ...rest] = authorization.split(" ");
    const isBearer =
      scheme.toLowerCase() === "bearer" && rest.length === 0 && countOf(request, "authorization") === 1;
    if (!isBearer) return refuse("invalid_admin_token");
    const attempt = await this.#attempt(request, token);
    if (typeof attempt !== "string") return attempt;
    this.#actors.set(request, actor(request, "admin-token"));
    this.#tokens.set(request, attempt);
    return undefined;
  }

  /** A session that the token in force has opened. */
  async #sessionOf(request: FastifyRequest): Promise<Session | undefined> {
    const session = this.#sessions.find(request.headers.cookie);
    return session?.token === (await this.#options.token.fingerprint()) ? session : undefined;
  }

  /**
   * @returns the token's fingerprint, or why not. The right token is always let in, so that nobody at the operator's
   * address can lock them out; wrong ones are limited.
   */
  async #attempt(request: FastifyRequest, token: string): Promise<string | Refusal> {
    const fingerprint = await this.#options.token.matches(token);
    if (fingerprint !== undefined) return fingerprint;
    const address = request.raw.socket.remoteAddress ?? "unknown";
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs > 0)
      return refuse("rate_limit_exceeded", "too many wrong admin tokens from this address", waitMs);
    this.#attempts.failed(address);
    return refuse("invalid_admin_token");
  }

  /** A browser sends Origin with every mutation; SameSite alone would trust every port of the host. */
  #foreignOrigin(request: FastifyRequest): Refusal | undefined {
    const { origin } = request.headers;
    if (
      origin !== undefined &&
      countOf(request, "origin") === 1 &&
      this.#options.origins().includes(origin)
    ) {
      return undefined;
    }
    return refuse("foreign_origin");
  }
}

function actor(request: FastifyRequest, by: Actor["by"]): Actor {
  const named = request.headers["x-sluice-client"];
  const client = CLIENTS.find((one) => one === named) ?? (by === "session" ? "console" : "api");
  return { by, client, address: peerOf(request) };
}

/** Who is at the other end of the connection, written as rules and refusals write it. */
export function peerOf(request: FastifyRequest): string | null {
  const { remoteAddress } = request.raw.socket;
  return remoteAddress === undefined ? null : (normalizeAddress(remoteAddress) ?? remoteAddress);
}

function countOf(request: FastifyRequest, name: string): number {
  const { rawHeaders } = request.raw;
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

/** Behind a proxy that ends TLS, the cookie is for TLS alone. */
function isSecure(request: FastifyRequest): boolean {
  return request.headers.origin?.startsWith("https://") === true;
}
