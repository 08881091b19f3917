import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Actor, AdminRefusal, Audit } from "../observe/audit.ts";
import { normalizeAddress } from "../policy/index.ts";
import { type Refusal, refuse } from "../protocol/index.ts";
import type { AdminToken } from "./admin-token.ts";
import { AttemptLimit } from "./attempt-limit.ts";
import { countOf, isFromConsole } from "./same-origin.ts";
import { SESSION_ROUTES } from "./schemas/access.ts";
import { documented } from "./scope.ts";
import { type Session, Sessions } from "./session.ts";

export type AdminAccessOptions = {
  readonly token: AdminToken;
  readonly audit: Audit;
  /** Origins that the console is served from: what a request by a session has to come from, to the letter. */
  readonly origins: () => readonly string[];
  /** Told of the TCP connection of a request that was let in. */
  readonly prove: (socket: Duplex) => void;
};

/** Its body is read before anybody is known. */
const MAX_SIGN_IN_BYTES = 16 * 1024;
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
    if (refusal !== undefined) return this.#refuse(request, reply, refusal);
    this.#options.prove(request.raw.socket);
    return undefined;
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
    const open = { bodyLimit: MAX_SIGN_IN_BYTES, ...documented({ ...SESSION_ROUTES.open, security: [] }) };
    scope.post("/session", open, async (request, reply) => {
      const { body } = request;
      const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
      if (typeof token !== "string") return reply.refuse(refuse("invalid_request", "send { token }"));
      const foreign = this.#foreignOrigin(request);
      if (foreign !== undefined) return this.#refuse(request, reply, foreign);
      const attempt = await this.#attempt(request, token);
      if (typeof attempt !== "string") return this.#refuse(request, reply, attempt);
      const { cookie, expiresAt } = this.#sessions.open(attempt, isSecure(request));
      await this.#options.audit.record({ action: "session.opened", actor: actor(request, "admin-token") });
      reply.header("set-cookie", cookie).header("cache-control", "no-store");
      return { expiresAt, address: peerOf(request) };
    });
    scope.get("/session", documented(SESSION_ROUTES.read), async (request, reply) => {
      const session = await this.#sessionOf(request);
      if (session === undefined) return reply.refuse(refuse("missing_admin_token", "sign in"));
      const foreign = this.#foreignOrigin(request);
      if (foreign !== undefined) return this.#refuse(request, reply, foreign);
      reply.header("cache-control", "no-store");
      return { expiresAt: new Date(session.expiresAtMs).toISOString(), address: peerOf(request) };
    });
    scope.delete("/session", documented(SESSION_ROUTES.end), async (request, reply) => {
      const foreign = this.#foreignOrigin(request);
      if (foreign !== undefined) return this.#refuse(request, reply, foreign);
      reply.header("set-cookie", this.#sessions.end(request.headers.cookie, isSecure(request)));
      return reply.code(204).send();
    });
  }

  async #check(request: FastifyRequest): Promise<Refusal | undefined> {
    const { authorization } = request.headers;
    if (authorization === undefined || authorization === "") {
      if ((await this.#sessionOf(request)) === undefined) return refuse("missing_admin_token");
      const foreign = this.#foreignOrigin(request);
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

  #foreignOrigin(request: FastifyRequest): Refusal | undefined {
    return isFromConsole(request, this.#options.origins()) ? undefined : refuse("foreign_origin");
  }

  /** Refuse, and leave a trace of it: of wrong tokens and other pages. Nobody is asked to sign in without one. */
  #refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
    if (refusal.code !== "missing_admin_token") this.#options.audit.refusedAdmin(refusalOf(request, refusal));
    return reply.refuse(refusal);
  }
}

/** What the audit says of a refused request: the route, since a path may hold a secret that was put into the wrong place. */
export function refusalOf(request: FastifyRequest, { code }: Refusal): AdminRefusal {
  const { origin } = request.headers;
  const endpoint = `${request.method} ${request.routeOptions.url ?? "an unknown path"}`;
  return { code, ip: peerOf(request), origin: origin ?? null, endpoint };
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

/** Behind a proxy that ends TLS, the cookie is for TLS alone. */
function isSecure(request: FastifyRequest): boolean {
  return request.headers.origin?.startsWith("https://") === true;
}
