import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Charge, type Gate, type Identity, presentedKey, type Verdict } from "../gate.ts";
import { BYTES_PER_COST, REQUEST_COST, refuseOverloaded } from "../overload/index.ts";
import { type AccessRequest, requestOrigin } from "../policy/index.ts";
import { type Refusal, rateLimitHeaders, refuse } from "../protocol/index.ts";

export type AccessOptions = {
  readonly gate: Gate;
  readonly publicOrigin: string;
  readonly addressOf: (request: FastifyRequest["raw"]) => string | null;
  readonly apiKeyInQuery: boolean;
  /** Told of the TCP connection on which a key was accepted. */
  readonly prove: (socket: Duplex, keyId: string) => void;
};

/** Who calls and from where, found once per request before its body is read. */
export type Caller = {
  readonly identity: Identity;
  readonly origin: string | undefined;
  readonly ip: string | null;
};

type Wanted = Pick<AccessRequest, "action" | "channel" | "endpoint">;

/** The key's side of the public listener: finds the caller of a request and asks the gate about it. */
export class Access {
  readonly #options: AccessOptions;
  readonly #callers = new WeakMap<FastifyRequest, Caller>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** A Fastify `onRequest` hook: without a known key the request ends here. */
  readonly authenticate = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const caller = await this.identify(request);
    if ("allowed" in caller) return reply.refuse(caller);
    this.#callers.set(request, caller);
    return undefined;
  };

  async identify(request: FastifyRequest): Promise<Caller | Refusal> {
    const { gate, publicOrigin, addressOf, apiKeyInQuery } = this.#options;
    const { raw } = request;
    const origin = requestOrigin({ method: raw.method ?? "", headers: raw.headers }, publicOrigin);
    const whence = { origin, ip: addressOf(raw) };
    const inQuery = apiKeyInQuery ? queryOf(request).getAll("apikey") : undefined;
    const identity = await gate.authenticate(presentedKey({ rawHeaders: raw.rawHeaders, inQuery }), whence);
    if ("allowed" in identity) return identity;
    if (identity.key !== null) {
      const { id, load } = identity.key;
      this.#options.prove(raw.socket, id);
      load.add(REQUEST_COST + bytesOf(raw) / BYTES_PER_COST);
      if (load.isShed) return refuseOverloaded();
    }
    return { identity, ...whence };
  }

  /** May the caller of this request do that? Counted as usage. */
  decide(request: FastifyRequest, wanted: Wanted): Verdict {
    const caller = this.#callers.get(request);
    if (caller === undefined) return refuse("missing_api_key");
    const { identity, origin, ip } = caller;
    return this.#options.gate.decide(identity, { ...wanted, origin, ip });
  }

  /** The same about what the key's limits count; their state goes into the answer's headers, denied or not. */
  async charge(request: FastifyRequest, reply: FastifyReply, wanted: Wanted): Promise<Charge> {
    const caller = this.#callers.get(request);
    if (caller === undefined) return refuse("missing_api_key");
    const { identity, origin, ip } = caller;
    const charge = await this.#options.gate.charge(identity, { ...wanted, origin, ip });
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

  /** Refuse early what is denied by now; whether it is allowed is asked, and counted, by `charge`. */
  precheck(request: FastifyRequest, wanted: Wanted): Verdict {
    const verdict = this.recheck(request, wanted);
    return verdict.allowed ? verdict : this.decide(request, wanted);
  }

  /** The same for what was decided before, or comes along with it: not counted. */
  recheck(request: FastifyRequest, wanted: Wanted): Verdict {
    const caller = this.#callers.get(request);
    return caller === undefined ? refuse("missing_api_key") : this.recheckFor(caller, wanted);
  }

  recheckFor({ identity, origin, ip }: Caller, wanted: Wanted): Verdict {
    return this.#options.gate.recheck(identity, { ...wanted, origin, ip });
  }

  callerOf(request: FastifyRequest): Caller | undefined {
    return this.#callers.get(request);
  }
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
