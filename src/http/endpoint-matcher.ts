import findMyWay, { type HTTPMethod } from "find-my-way";
import type { EndpointDeclaration } from "../config/config.ts";
import { targetFault } from "../listener/path-guard.ts";

export type MatchedEndpoint = { readonly id: string; readonly method: string; readonly path: string };
/** `ambiguous`: the listener would refuse the path before any route is looked for. */
export type EndpointMatcher = (method: string, path: string) => MatchedEndpoint | "ambiguous" | undefined;

/** A declared endpoint has at most this much between two slashes. */
const MAX_PARAM_LENGTH = 2_000;

/**
 * Which declared endpoint a path below the prefix would reach. It asks Fastify's own router, so that an
 * explanation and a request never find two different ones.
 */
export function createEndpointMatcher(endpoints: readonly EndpointDeclaration[]): EndpointMatcher {
  const router = findMyWay({ maxParamLength: MAX_PARAM_LENGTH });
  for (const { id, method, path } of endpoints) router.on(method, path, () => {}, { id, method, path });
  return (method, path) => {
    if (targetFault(path) !== undefined) return "ambiguous";
    const wanted = method === "HEAD" ? "GET" : method;
    if (!isMethod(wanted)) return undefined;
    const store: unknown = router.find(wanted, path)?.store;
    return endpoints.find((endpoint) => isSame(store, endpoint));
  };
}

function isMethod(method: string): method is HTTPMethod {
  return ["GET", "POST", "PUT", "PATCH", "DELETE"].includes(method);
}

function isSame(store: unknown, endpoint: EndpointDeclaration): boolean {
  return typeof store === "object" && store !== null && "id" in store && store.id === endpoint.id;
}
