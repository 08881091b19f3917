import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import {
  type Asker,
  type Charge,
  type Gate,
  type Identity,
  presentedKey,
  type Verdict,
} from "../gate/index.ts";
import type { App } from "../listener/app.ts";
import { hasBody } from "../listener/request-head.ts";
import { BYTES_PER_COST, REQUEST_COST, refuseOverloaded } from "../overload/index.ts";
import {
  type AccessRequest,
  addressGroup,
  type LimitKind,
  ownOrigin,
  requestOrigin,
} from "../policy/index.ts";
import {
  type BroadcastAudience,
  codingRefusal,
  KEYED_VARY,
  type Refusal,
  rateLimitHeaders,
  refuse,
} from "../protocol/index.ts";
import type { BodyBudget } from "./body-budget.ts";

export type AccessOptions = {
  readonly gate: Gate;
  /** Under which browsers reach this listener. */
  readonly publicOrigins: readonly string[];
  readonly addressOf: (request: FastifyRequest["raw"]) => string | null;
  readonly apiKeyInQuery: boolean;
  readonly bodies: BodyBudget;
  /** Told of the TCP connection on which a key was accepted. */
  readonly prove: (socket: Duplex, keyId: string) => void;
};

/** Who calls and from where, found once per request before its body is read. */
export type Caller = {
  readonly identity: Identity;
  readonly origin: string | undefined;
  readonly ip: string | null;
};

declare module "fastify" {
  interface FastifyRequest {
    /** Undefined before its key was found. */
    caller: Caller | undefined;
  }
}

/** Over HTTP there is neither a connection nor a client. */
const NO_ASKER: Asker = Object.freeze({});

type Wanted = Pick<AccessRequest, "action" | "channel" | "endpoint">;

/**
 * The key's side of the public listener: finds the caller of a request and asks the gate about it. What needs no promise
 * has none: a call with a key in use is found, decided and counted within one turn.
 */
export class Access {
  readonly #options: AccessOptions;

  constructor(app: App, options: AccessOptions) {
    this.#options = options;
    app.decorateRequest("caller", undefined);
  }

  /** A Fastify `onRequest` hook: without a known key the request ends here. */
  readonly authenticate = (
    request: FastifyRequest,
    reply: FastifyReply,
    done: (error?: Error) => void,
  ): void => {
    markKeyed(reply);
    const caller = this.identify(request);
    if (caller instanceof Promise) {
      // Whoever has gone meanwhile would be charged for a body for ever: the end of its answer is over.
      caller
        .then((found) => {
          if (!reply.raw.destroyed) this.#admit(request, reply, found, done);
        })
        .catch(done);
    } else {
      this.#admit(request, reply, caller, done);
    }
  };

  #admit(
    request: FastifyRequest,
    reply: FastifyReply,
    caller: Caller | Refusal,
    done: (error?: Error) => void,
  ): void {
    if ("allowed" in caller) {
      reply.refuse(caller);
      return;
    }
    request.caller = caller;
    const coding = codingRefusal(request.raw.headers["content-encoding"]);
    if (coding !== undefined) {
      reply.header("accept-encoding", "identity").refuse(coding);
      return;
    }
    const refusal = hasBody(request.raw)
      ? this.#options.bodies.take(request, reply, this.ownerOf(request))
      : undefined;
    if (refusal === undefined) done();
    else reply.refuse(refusal);
  }

  identify(request: FastifyRequest): Caller | Refusal | Promise<Caller | Refusal> {
    const { gate, publicOrigins, addressOf, apiKeyInQuery } = this.#options;
    const { raw } = request;
    const origin = requestOrigin({ method: raw.method ?? "", headers: raw.headers }, publicOrigins);
    const ip = addressOf(raw);
    const inQuery = apiKeyInQuery && hasQuery(request) ? queryOf(request).getAll("apikey") : undefined;
    const found = gate.authenticate(presentedKey({ rawHeaders: raw.rawHeaders, inQuery }), { origin, ip });
    return found instanceof Promise
      ? found.then((identity) => this.#callerOf(raw, identity, origin, ip))
      : this.#callerOf(raw, found, origin, ip);
  }

  #callerOf(
    raw: FastifyRequest["raw"],
    identity: Identity | Refusal,
    origin: string | undefined,
    ip: string | null,
  ): Caller | Refusal {
    if ("allowed" in identity) return identity;
    if (identity.key !== null) {
      const { id, load } = identity.key;
      this.#options.prove(raw.socket, id);
      load.add(REQUEST_COST + bytesOf(raw) / BYTES_PER_COST);
      if (load.isShed) return refuseOverloaded();
    }
    return { identity, origin, ip };
  }

  /** May the caller of this request do that? Counted as usage. */
  decide({ caller }: FastifyRequest, wanted: Wanted): Verdict {
    if (caller === undefined) return refuse("missing_api_key");
    return this.#options.gate.decide(caller.identity, requestOf(caller, wanted));
  }

  /** The same about what the key's limits count; their state goes into the answer's headers, denied or not. */
  charge(
    { caller }: FastifyRequest,
    reply: FastifyReply,
    wanted: Wanted,
    kind: LimitKind = "calls",
  ): Charge | Promise<Charge> {
    if (caller === undefined) return refuse("missing_api_key");
    const { gate } = this.#options;
    const whole = requestOf(caller, wanted);
    const charge =
      wanted.action === "broadcast"
        ? gate.chargeBroadcast(caller.identity, whole)
        : gate.charge(caller.identity, whole, NO_ASKER, kind);
    return charge instanceof Promise
      ? charge.then((found) => withLimits(reply, found))
      : withLimits(reply, charge);
  }

  /** Whom a broadcast of this caller reaches now. */
  audienceOf({ caller }: FastifyRequest): BroadcastAudience {
    return this.#options.gate.audienceOf(caller?.identity ?? { key: null });
  }

  /** Refuse early what is denied by now; whether it is allowed is asked, and counted, by `charge`. */
  precheck(request: FastifyRequest, wanted: Wanted): Verdict {
    const verdict = this.recheck(request, wanted);
    return verdict.allowed ? verdict : this.decide(request, wanted);
  }

  /** The same for what was decided before, or comes along with it: not counted. */
  recheck({ caller }: FastifyRequest, wanted: Wanted): Verdict {
    return caller === undefined ? refuse("missing_api_key") : this.recheckFor(caller, wanted);
  }

  recheckFor(caller: Caller, wanted: Wanted): Verdict {
    return this.#options.gate.recheck(caller.identity, requestOf(caller, wanted));
  }

  /** Who is charged for what the caller of this request costs: its key, or without one its address group. */
  ownerOf({ caller }: FastifyRequest): string {
    return caller?.identity.key?.id ?? `address ${addressGroup(caller?.ip ?? null)}`;
  }

  callerOf({ caller }: FastifyRequest): Caller | undefined {
    return caller;
  }

  /**
   * Whether a page of the origin that the request was sent to asks, as its browser says: only then are the cookies of the
   * request meant for it. A GET of another site has no Origin either, but says `cross-site`. With several public origins a
   * page of one of them is another site to the others.
   */
  isSameOrigin({ raw: { headers } }: FastifyRequest): boolean {
    const { origin, "sec-fetch-site": site } = headers;
    if (origin === undefined) return site === "same-origin";
    const { publicOrigins } = this.#options;
    if (site !== undefined) return site === "same-origin" && publicOrigins.includes(origin);
    return publicOrigins.length === 1
      ? origin === publicOrigins[0]
      : origin === ownOrigin(headers, publicOrigins);
  }
}

/** An answer that depends on a key: no cache keeps it unless a handler says that it may. */
export function markKeyed(reply: FastifyReply): void {
  reply.header("cache-control", "no-store").header("vary", KEYED_VARY);
}

/** As the request says; a body without a length is bounded elsewhere. */
export function bytesOf({ headers }: FastifyRequest["raw"]): number {
  const length = headers["content-length"];
  return length === undefined ? 0 : Number(length);
}

/** The query as it was sent, every repetition included. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const url = request.raw.url ?? "";
  const mark = url.indexOf("?");
  return new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1));
}

export function hasQuery(request: FastifyRequest): boolean {
  return request.raw.url?.includes("?") === true;
}

/** One shape for all, whatever is wanted. */
function requestOf({ origin, ip }: Caller, { action, endpoint, channel }: Wanted): AccessRequest {
  return { action, origin, ip, endpoint, channel };
}

function withLimits(reply: FastifyReply, charge: Charge): Charge {
  const { limits, giveBack } = charge;
  if (limits === undefined) return charge;
  reply.headers(rateLimitHeaders(limits));
  if (giveBack === undefined) return charge;
  const before = limits.map((state) => ({ ...state, remaining: state.remaining + 1 }));
  return {
    ...charge,
    giveBack: async () => {
      await giveBack();
      reply.headers(rateLimitHeaders(before));
    },
  };
}
