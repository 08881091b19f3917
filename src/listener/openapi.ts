import { STATUS_CODES } from "node:http";
import swagger from "@fastify/swagger";
import type { FastifyInstance, onRequestAsyncHookHandler } from "fastify";

export type ApiDescription = {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** The origins under which the API is reached, the first one first; known only once the port is. */
  readonly servers: () => readonly string[];
  /** Who may read the document, if not everybody. */
  readonly onRequest?: onRequestAsyncHookHandler;
  /** How a caller proves who it is, by a name: OpenAPI security schemes. Any one of them will do. */
  readonly security: Readonly<Record<string, SecurityScheme>>;
};

export type SecurityScheme =
  | { readonly type: "http"; readonly scheme: "bearer" }
  | { readonly type: "apiKey"; readonly in: "header" | "query" | "cookie"; readonly name: string };

/**
 * Describe the routes that are registered in this scope from now on, at `/openapi.json` within it. The schemas of the
 * routes are the source; a route without a summary is no part of the API and stays out.
 */
export async function describeRoutes(scope: FastifyInstance, about: ApiDescription): Promise<void> {
  const { title, description, version, servers, security, onRequest } = about;
  await scope.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title, description, version, license: { name: "MIT", identifier: "MIT" } },
      components: { securitySchemes: { ...security } },
      security: Object.keys(security).map((name) => ({ [name]: [] })),
    },
    transform: ({ schema, url, route }) => {
      if (schema?.summary === undefined) return { schema: { ...schema, hide: true }, url };
      const operationId = operationIdOf(String(route.method), url);
      return { schema: { operationId, ...schema, response: withDescriptions(schema.response) }, url };
    },
  });
  scope.get("/openapi.json", onRequest === undefined ? {} : { onRequest }, async (_request, reply) => {
    reply.type("application/json; charset=utf-8").header("cache-control", "no-cache");
    const document = { ...scope.swagger(), servers: servers().map((url) => ({ url })) };
    return reply.send(JSON.stringify(document));
  });
}

/**
 * A name that programs made from the document call an operation by: `getChannelsMembers`, `postKeysByIdRotate`. It follows the method
 * and the path alone, so it is unique and stays as long as they do.
 */
function operationIdOf(method: string, url: string): string {
  const words = url
    .replace(/^\/admin\/v1(?=\/)/, "")
    .split("/")
    .flatMap((segment) =>
      segment.startsWith(":") ? ["by", segment.slice(1)] : segment.split(/[^A-Za-z0-9]+/),
    )
    .filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** OpenAPI wants a description of every answer. */
function withDescriptions(response: unknown): Record<string, unknown> {
  const answers = Object.entries(typeof response === "object" && response !== null ? response : {});
  return Object.fromEntries(
    answers.map(([status, schema]: [string, unknown]) => {
      const isObject = typeof schema === "object" && schema !== null;
      return [status, isObject ? { description: STATUS_CODES[status], ...schema } : schema];
    }),
  );
}
