import { type Static, Type } from "typebox";
import { Instant, Limit, list, Nothing, nullable, Text } from "./common.ts";

export const Session = Type.Object(
  { expiresAt: Instant, address: nullable(Type.String({ description: "the caller's" })) },
  { title: "Session" },
);
export type Session = Static<typeof Session>;

const session = ["Session"];
/** Signing in and out: a cookie instead of the token. */
export const SESSION_ROUTES = {
  open: {
    tags: session,
    summary: "Sign in with the admin token",
    body: Type.Object({ token: Type.String() }),
    response: { 200: Session },
  },
  read: { tags: session, summary: "The session of the cookie", response: { 200: Session } },
  end: { tags: session, summary: "Sign out", response: { 204: Nothing } },
} as const;

export const ACTIONS = [
  "connect",
  "endpoint",
  "join",
  "publish",
  "presence",
  "history",
  "broadcast",
] as const;

/** Exactly one of `keyId`, `apiKey` and `settings` says about whom; `request` says about what. */
export const Question = Type.Object(
  {
    keyId: Type.Optional(Text),
    apiKey: Type.Optional(Text),
    settings: Type.Optional(Type.Unknown()),
    request: Type.Object(
      {
        action: Type.Union(ACTIONS.map((action) => Type.Literal(action))),
        origin: Type.Optional(nullable(Text)),
        ip: Type.Optional(nullable(Text)),
        // `METHOD /path` below the prefix, or an endpoint's id.
        endpoint: Type.Optional(Text),
        channel: Type.Optional(Text),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

export const Explanation = Type.Object(
  {
    decision: Type.Object({
      allowed: Type.Boolean(),
      code: Type.Optional(Type.String()),
      status: Type.Optional(Type.Integer()),
      message: Type.Optional(Type.String()),
    }),
    checks: list(Type.Object({ check: Type.String(), passed: Type.Boolean(), message: Type.String() })),
  },
  { title: "Explanation" },
);
export type Explanation = Static<typeof Explanation>;

const tags = ["Access"];
export const ACCESS_ROUTES = {
  explain: {
    tags,
    summary: "What would be decided about a request, and why",
    body: Question,
    response: { 200: Explanation },
  },
  rotateToken: {
    tags,
    summary: "Make a new admin token; the old one and every session end",
    response: { 200: Type.Object({ token: Type.String({ description: "shown this once" }) }) },
  },
} as const;

export const AuditQuery = Type.Object({
  limit: Type.Optional(Limit),
  before: Type.Optional(Type.String({ description: "the next of the page before" })),
  keyId: Type.Optional(Type.String()),
  action: Type.Optional(Type.String()),
  kind: Type.Optional(
    Type.Union([Type.Literal("deeds"), Type.Literal("refusals")], {
      description: "what was done, the default, or samples of what was refused",
    }),
  ),
});

/** Beside these members, an entry has those of its action. */
export const AuditEntry = Type.Object(
  { id: Type.String(), at: Instant, action: Type.String(), keyId: Type.Optional(nullable(Type.String())) },
  { title: "AuditEntry", additionalProperties: true },
);
export type AuditEntry = Static<typeof AuditEntry>;
export const AuditPage = Type.Object({ items: list(AuditEntry), next: nullable(Type.String()) });

/** Both or neither: a place in the chain that was noted before. */
export const ChainQuery = Type.Object({
  sequence: Type.Optional(Type.Integer({ minimum: 1, description: "the head's sequence as it was noted" })),
  digest: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{64}$", description: "the head's digest as it was noted" }),
  ),
});

export const ChainCheck = Type.Object(
  {
    intact: Type.Boolean(),
    checked: Type.Integer({ description: "entries that were looked at" }),
    first: Type.Integer({ description: "the oldest entry that is kept" }),
    head: Type.Object(
      { sequence: Type.Integer(), digest: Type.String() },
      {
        description: "the newest entry: note it elsewhere to prove later that nothing before it was changed",
      },
    ),
    broken: nullable(
      Type.Object(
        { sequence: Type.Integer(), id: Type.String(), reason: Type.String() },
        { description: "the first link that does not hold" },
      ),
    ),
  },
  { title: "ChainCheck" },
);
