/** What somebody asked the server to publish. */
export type Publication = {
  /** The channel; null for a broadcast. */
  readonly channel: string | null;
  /** Tells bodies apart: equal for equal bodies. */
  readonly body: number;
  readonly echo: boolean;
  readonly id: string | undefined;
  /** The visit that sent it; undefined over HTTP. */
  readonly visit: Visit | undefined;
  readonly key: number;
  readonly sentAt: number;
  /** When its answer came, and which. */
  ackedAt: number;
  outcome:
    | { readonly offset: number; readonly id: string; readonly epoch: string }
    | { readonly refused: string }
    | undefined;
};

export type Position = { readonly epoch: string; readonly offset: number };

export type Request = {
  readonly event: string;
  readonly channel: string | null;
  readonly since: Position | undefined;
  readonly echo: boolean;
  readonly publication: Publication | undefined;
  readonly payload: unknown;
};

/** What a connection said and was told, in the order in which it happened there. `at` is one clock for all. */
export type Entry = { readonly at: number } & (
  | { readonly type: "request"; readonly request: Request }
  | { readonly type: "ack"; readonly request: Request; readonly answer: Readonly<Record<string, unknown>> }
  | ({ readonly type: "message" } & Heard)
  | {
      readonly type: "gap";
      readonly channel: string;
      readonly epoch: string;
      readonly after: number;
      readonly before: number;
      readonly reason: string;
    }
  | { readonly type: "closed"; readonly channel: string; readonly code: string }
  | {
      readonly type: "presence";
      readonly kind: "join" | "leave" | "update";
      readonly channel: string;
      readonly id: string;
      readonly clientId: string;
      readonly data: unknown;
    }
  | { readonly type: "closing"; readonly code: string }
  | { readonly type: "end"; readonly how: string }
);

export type Heard = {
  readonly channel: string | null;
  readonly body: number;
  readonly id: string;
  readonly epoch: string;
  readonly offset: number;
  readonly fromId: string | null;
  readonly fromClientId: string | null;
};

/** One connection of a client, as its own side saw it. */
export type Visit = {
  readonly name: string;
  readonly client: number;
  readonly key: number;
  readonly trace: Entry[];
  /** From `connection:ready`. */
  id: string;
  clientId: string;
  readyAt: number;
  endedAt: number;
  wasStalled: boolean;
};

/** A right that was taken from a key for a while: in one channel, or everything. */
export type Withdrawal = {
  readonly key: number;
  readonly channel: string | "all";
  readonly sentAt: number;
  answeredAt: number;
  restoreSentAt: number;
  restoredAt: number;
};

/** Everything that a game's reference model looks at. */
export type GameRecord = {
  readonly channels: readonly { readonly name: string; readonly window: number }[];
  readonly publications: readonly Publication[];
  readonly withdrawals: readonly Withdrawal[];
  readonly visits: readonly Visit[];
  /** A connection that was a member of every channel from the beginning to the end. */
  readonly witness: Visit;
};

/** Whether a later connection of the same client took over from this one. */
export function isTakenOver(visit: Visit, visits: readonly Visit[]): boolean {
  return visits
    .slice(visits.indexOf(visit) + 1)
    .some(({ clientId }) => clientId !== "" && clientId === visit.clientId);
}

/** For people: what a connection saw of a channel. */
export function describeTrace({ name, trace }: Visit, channel: string | null): string {
  const lines = trace.filter((entry) => {
    if (entry.type === "request" || entry.type === "ack") return entry.request.channel === channel;
    return !("channel" in entry) || entry.channel === channel;
  });
  return [
    `what ${name} saw of ${channel ?? "broadcasts"}:`,
    ...lines.map((entry) => `  ${describeEntry(entry)}`),
  ].join("\n");
}

function describeEntry(entry: Entry): string {
  const { at, type } = entry;
  if (type === "request")
    return `${at} > ${entry.request.event} ${JSON.stringify(entry.request.payload).slice(0, 160)}`;
  if (type === "ack")
    return `${at} < ack of ${entry.request.event} ${JSON.stringify(entry.answer).slice(0, 160)}`;
  if (type === "message")
    return `${at} < message ${entry.offset} (body ${entry.body}, id ${entry.id}, from ${entry.fromClientId ?? "a server"})`;
  const { at: _at, type: _type, ...rest } = entry;
  return `${at} < ${type} ${JSON.stringify(rest)}`;
}
