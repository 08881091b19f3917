import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { placedMessages } from "../lib/schema-errors.ts";
import type { Member, Position } from "../protocol/index.ts";

/** What a handler may do on channels, as a server: no key, no echo, `from` is null. */
export type RealtimeForHandlers = {
  publish(channel: string, eventName: string, message: unknown): Promise<{ id: string } & Position>;
  broadcast(eventName: string, message: unknown): Promise<{ id: string }>;
  members(
    channel: string,
    page?: { limit?: number; after?: string },
  ): Promise<{ members: readonly Member[]; count: number; next: string | null }>;
};

/** One call of an endpoint, after the gate has let it in. */
export type EndpointContext = {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /**
   * Parsed JSON; text; a form as an object, in which a name that comes several times has a list; octets as a `Buffer`; a
   * `MultipartBody`; undefined without a body.
   */
  readonly body: unknown;
  /** Without the headers that carried the API key. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly key: { readonly id: string; readonly name: string };
  readonly realtime: RealtimeForHandlers;
};

/**
 * A named route of the application, below the endpoint prefix. A handler returns what JSON can hold, a string, bytes, a
 * Fetch `Response` for status and headers of its own, or nothing (204).
 */
export type EndpointDeclaration = {
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/orders`, `/orders/:id`, `/files/*`. */
  readonly path: string;
  /** How large the body of a call may be; absent: 1 MiB. */
  readonly maxBodyBytes?: number;
  readonly handler: (context: EndpointContext) => unknown;
};

/** Of a body that is read as a stream; one that is in memory as a whole has at most 256 MiB. */
const MAX_BODY_BYTES = 16 * 1024 ** 3;

const Endpoint = Compile(
  Type.Object(
    {
      id: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" }),
      method: Type.Union(["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => Type.Literal(method))),
      path: Type.String({ pattern: "^/[^?#;\\\\\\s]*$", maxLength: 1000 }),
      maxBodyBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_BODY_BYTES })),
      handler: Type.Any(),
    },
    { additionalProperties: false },
  ),
);

/** The first thing that is wrong with `endpoints`, as a sentence; undefined when it can be used. */
export function endpointsFault(value: unknown): string | undefined {
  if (!Array.isArray(value)) return `"endpoints" is a list`;
  const ids = new Set<string>();
  const routes = new Set<string>();
  for (const [index, item] of value.entries()) {
    const where = `"endpoints[${index}]"`;
    const endpoint: unknown = item;
    if (typeof endpoint === "object" && endpoint !== null && "upstream" in endpoint) {
      return `${where}: upstreams are not supported yet: declare a handler`;
    }
    if (!Endpoint.Check(endpoint)) {
      const reason = placedMessages(Endpoint.Errors(endpoint)).map(({ pointer, message }) =>
        `${pointer} ${message}`.trim(),
      );
      return `${where}: ${reason.join(", ")}`;
    }
    if (typeof endpoint.handler !== "function") return `${where}: "handler" is a function`;
    const route = `${endpoint.method} ${endpoint.path}`;
    if (ids.has(endpoint.id)) return `${where}: the id "${endpoint.id}" is taken`;
    if (routes.has(route)) return `${where}: ${route} is declared twice`;
    if (isAmbiguous(endpoint.path)) return `${where}: no request can reach the path ${endpoint.path}`;
    ids.add(endpoint.id);
    routes.add(route);
  }
  return undefined;
}

/** The path guard refuses such a target before any route is looked for. */
function isAmbiguous(path: string): boolean {
  return path
    .slice(1)
    .split("/")
    .some((segment, index, all) => {
      const isLast = index === all.length - 1;
      return (segment === "" && !isLast) || segment === "." || segment === ".." || segment.includes("%");
    });
}
