import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, FastifySchemaCompiler, RawServerDefault } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { SETTINGS_MAX_BYTES } from "../policy/index.ts";
import { REFUSALS } from "./schemas/common.ts";

/** A part of the admin API, whose schemas type its handlers. */
export type AdminScope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,14})$/;

/**
 * Checks input as it is written in the route's schema. A query's numbers are whole numbers in digits, and an empty
 * parameter is an absent one; nothing else is repaired.
 */
export const strictValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  return (value: unknown) => {
    const input = httpPart === "querystring" ? readQuery(schema, value) : value;
    return check.Check(input) ? { value: input } : { error: check.Errors(input) };
  };
};

/** For routes that read their own body, to name its faults by the words of what is in it. */
export const unchecked: FastifySchemaCompiler<TSchema> = () => (value: unknown) => ({ value });

/** The options of such a route. */
export function documented(schema: RouteDocument) {
  const response = { ...schema.response, ...REFUSALS };
  return { schema: { ...schema, response }, validatorCompiler: unchecked };
}

/** The same for a route that takes settings: whatever keeps their bounds fits. */
export function documentedSettings(schema: RouteDocument) {
  return { ...documented(schema), bodyLimit: SETTINGS_MAX_BYTES };
}

/** What a route takes and answers, for the OpenAPI document. */
export type RouteDocument = {
  readonly tags: string[];
  readonly summary: string;
  readonly consumes?: string[];
  /** Empty: who calls it has not signed in yet. */
  readonly security?: [];
  readonly params?: TSchema;
  readonly headers?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response: Readonly<Record<number, TSchema>>;
};

function readQuery(schema: TSchema, query: unknown): unknown {
  if (typeof query !== "object" || query === null) return query;
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return Object.fromEntries(
    given.map(([name, value]) => [name, isInteger(schema, name) ? wholeNumber(value) : value]),
  );
}

function isInteger(schema: TSchema, name: string): boolean {
  const properties: unknown = Reflect.get(schema, "properties");
  const property: unknown =
    typeof properties === "object" && properties !== null ? Reflect.get(properties, name) : undefined;
  return (
    typeof property === "object" && property !== null && "type" in property && property.type === "integer"
  );
}

function wholeNumber(value: unknown): unknown {
  return typeof value === "string" && WHOLE_NUMBER.test(value) ? Number(value) : value;
}
