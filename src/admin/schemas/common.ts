import { type Static, type TSchema, Type } from "typebox";

/*
 * The schemas of the admin API, one file for each part: what routes check, what the OpenAPI document says, and the types
 * of the console. Nothing here needs Node, so that a browser's program may import it.
 */

export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1_000;

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A list that nobody changes after it was answered. */
export const list = <T extends TSchema>(schema: T) => Type.Immutable(Type.Array(schema));

/** An object of any members. */
export const dictionary = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Readonly<Record<string, Static<T>>>>({ type: "object", additionalProperties: schema });

export const Instant = Type.String({ description: "ISO 8601, in UTC" });
export const Text = Type.String({ maxLength: 4_000 });
export const Limit = Type.Integer({
  minimum: 1,
  maximum: PAGE_MAX,
  description: `at most; ${PAGE_DEFAULT} if absent`,
});

export const Fault = Type.Object({
  pointer: Type.String({ description: "JSON Pointer (RFC 6901) into what was sent" }),
  message: Type.String(),
  index: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: "of an import: which of the keys that were sent, counted from 0",
    }),
  ),
});
export type Fault = Static<typeof Fault>;

/** RFC 9457 problem details. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: "stable: programs may switch on it" }),
    faults: Type.Optional(list(Fault)),
    currentVersion: Type.Optional(nullable(Type.Integer())),
    enforced: Type.Optional(Type.Boolean({ description: "it is in force although it was not stored" })),
    stored: Type.Optional(Type.Boolean()),
  },
  { title: "Problem" },
);
export type Problem = Static<typeof Problem>;

export const Warnings = list(Fault);

/** Below `/keys/:id` and the like. */
export const IdPath = Type.Object({ id: Type.String() });

/** The version that was read: somebody else's change in between is not overwritten. */
export const IfMatch = Type.Object({
  "if-match": Type.Optional(Type.String({ description: 'the version that was read, in quotes: "3"' })),
});

export const Nothing = Type.Null({ description: "no body" });

/** What every route of the admin API may answer beside its own. */
const refused = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: Problem } },
});
export const REFUSALS = { default: refused("Refused, or not possible now") };
