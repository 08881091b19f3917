import type { FastifyInstance, FastifyReply } from "fastify";
import { Compile } from "typebox/compile";
import type { Explanation, Gate } from "../gate/index.ts";
import type { KeyStore } from "../keys/index.ts";
import { placedMessages } from "../lib/schema-errors.ts";
import { type AccessRequest, compileStored, type DeclaredEndpoint } from "../policy/index.ts";
import { isChannelName, refuse } from "../protocol/index.ts";
import { ACCESS_ROUTES, Question } from "./schemas/access.ts";
import { documentedSettings } from "./scope.ts";

export type ExplainOptions = {
  readonly gate: Gate;
  readonly keys: KeyStore;
  readonly endpoints: readonly DeclaredEndpoint[];
  /** The declared endpoint that a path below the prefix would reach. */
  readonly matchEndpoint: (method: string, path: string) => DeclaredEndpoint | "ambiguous" | undefined;
};

const Body = Compile(Question);

/** `POST /explain`: the decision about a request that nobody has sent, and every check that leads to it. */
export function registerExplainApi(scope: FastifyInstance, options: ExplainOptions): void {
  scope.post("/explain", documentedSettings(ACCESS_ROUTES.explain), async (request, reply) => {
    const { body } = request;
    if (!Body.Check(body)) {
      const faults = placedMessages(Body.Errors(body));
      return reply.refuse(refuse("invalid_request"), faults);
    }
    const { keyId, apiKey, settings } = body;
    if ([keyId, apiKey, settings].filter((one) => one !== undefined).length !== 1) {
      return reply.refuse(refuse("invalid_request", "give one of keyId, apiKey and settings"));
    }
    const { action, origin, ip, channel } = body.request;
    if (!["connect", "endpoint", "broadcast"].includes(action) && !isChannelName(channel)) {
      const message =
        channel === undefined
          ? `${action} needs a channel`
          : `${JSON.stringify(channel)} is no channel's name`;
      return reply.refuse(refuse("invalid_channel", message), [{ pointer: "/request/channel", message }]);
    }
    const endpoint = endpointOf(body.request.endpoint, options);
    if (endpoint === "ambiguous") {
      const refusal = refuse("ambiguous_target");
      return reply.refuse(refusal, [{ pointer: "/request/endpoint", message: refusal.message }]);
    }
    const wanted: AccessRequest = {
      action,
      origin: origin ?? undefined,
      ip: ip ?? null,
      channel,
      endpoint,
    };
    if (action === "endpoint" && wanted.endpoint === undefined) {
      const message = `no declared endpoint is ${JSON.stringify(body.request.endpoint ?? "")}`;
      return reply.refuse(refuse("not_found", message), [{ pointer: "/request/endpoint", message }]);
    }
    reply.header("cache-control", "no-store");
    if (keyId !== undefined) return explainKey(options, keyId, wanted, reply);
    if (apiKey !== undefined) return explainSecret(options, apiKey, wanted);
    return explainSettings(options, settings, wanted, reply);
  });
}

async function explainKey(
  { keys, gate }: ExplainOptions,
  keyId: string,
  wanted: AccessRequest,
  reply: FastifyReply,
) {
  const record = await keys.get(keyId);
  if (record === undefined) {
    const reason = "there is no such key";
    return reply.refuse(refuse("not_found", reason), [{ pointer: "/keyId", message: reason }]);
  }
  const message = `${record.id} is stored, at version ${record.version}`;
  const { decision, checks } = await gate.explain(record.id, compileStored(record.settings), wanted);
  return { decision, checks: [{ check: "key", passed: true, message }, ...checks] };
}

async function explainSecret(
  { gate }: ExplainOptions,
  apiKey: string,
  wanted: AccessRequest,
): Promise<Explanation> {
  const identity = await gate.identify({ secret: apiKey });
  if ("allowed" in identity) {
    return { decision: identity, checks: [{ check: "key", passed: false, message: identity.message }] };
  }
  const { key } = identity;
  if (key?.policy === undefined) {
    const decision = gate.recheck(identity, wanted);
    return {
      decision,
      checks: [{ check: "key", passed: decision.allowed, message: "the key is not readable" }],
    };
  }
  const message = `this is the secret of ${key.id}`;
  const { decision, checks } = await gate.explain(key.id, key.policy, wanted);
  return { decision, checks: [{ check: "key", passed: true, message }, ...checks] };
}

/** By the rules that a stored key is read by: what they allow to be written is another question. */
async function explainSettings(
  { gate }: ExplainOptions,
  settings: unknown,
  wanted: AccessRequest,
  reply: FastifyReply,
) {
  const policy = compileStored(settings);
  if (policy.faults.length > 0) return reply.refuse(refuse("invalid_settings"), policy.faults);
  const message = "settings that are not saved: no key to look up";
  const { decision, checks } = await gate.explain(null, policy, wanted);
  return { decision, checks: [{ check: "key", passed: true, message }, ...checks] };
}

function endpointOf(
  text: string | undefined,
  options: ExplainOptions,
): DeclaredEndpoint | "ambiguous" | undefined {
  if (text === undefined) return undefined;
  const { endpoints, matchEndpoint } = options;
  const declared = endpoints.find(({ id, method, path }) => text === id || text === `${method} ${path}`);
  if (declared !== undefined) return declared;
  const space = text.indexOf(" ");
  return space === -1 ? undefined : matchEndpoint(text.slice(0, space), text.slice(space + 1));
}
