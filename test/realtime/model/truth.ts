import type { GameRecord, Heard, Publication, Visit, Withdrawal } from "./trace.ts";

export class Broken extends Error {
  override readonly name = "Broken";
  readonly channel: string | null;
  readonly visits: readonly Visit[];

  constructor(message: string, channel: string | null, visits: readonly Visit[]) {
    super(message);
    this.channel = channel;
    this.visits = visits;
  }
}

/** One channel as it was: what the witness heard, with who asked for it. */
export class ChannelTruth {
  readonly name: string;
  readonly window: number;
  readonly epoch: string;
  readonly last: number;
  readonly #messages: readonly Heard[];
  readonly #record: GameRecord;
  /** Those who asked for what is at an offset: several, when an id was repeated. */
  readonly #sources: readonly (readonly Publication[])[];
  /** Sent, and acknowledged, while a right was withdrawn. */
  readonly #withdrawnFrom: readonly (readonly Withdrawal[])[];

  constructor(record: GameRecord, { name, window }: { name: string; window: number }) {
    this.#record = record;
    this.name = name;
    this.window = window;
    this.#messages = record.witness.trace
      .filter((entry) => entry.type === "message" && entry.channel === name)
      .flatMap((entry) => (entry.type === "message" ? [entry] : []));
    this.epoch = this.#messages[0]?.epoch ?? "";
    this.last = this.#messages.length;
    this.#messages.forEach(({ offset, epoch }, index) => {
      if (offset !== index + 1 || epoch !== this.epoch)
        throw this.broken(
          `the channel's order has a hole: ${offset} is at place ${index + 1}`,
          record.witness,
        );
    });
    this.#sources = this.#messages.map((heard) => {
      const sources = record.publications.filter((one) => this.#isSource(one, heard));
      if (sources.length === 0)
        throw this.broken(`nobody published what is at offset ${heard.offset}`, record.witness);
      return sources;
    });
    this.#withdrawnFrom = this.#sources.map((sources) =>
      record.withdrawals.filter((one) => isDuring(one, name, sources)),
    );
  }

  broken(message: string, ...visits: readonly Visit[]): Broken {
    return new Broken(`${this.name}: ${message}`, this.name, visits);
  }

  at(offset: number): Heard | undefined {
    return this.#messages[offset - 1];
  }

  offsetOf(publication: Publication): number | undefined {
    const at = this.#sources.findIndex((sources) => sources.includes(publication));
    return at === -1 ? undefined : at + 1;
  }

  /** Whether this client is not to hear it because it sent it itself without echo. A repeat may have said otherwise. */
  isOwn(offset: number, clientId: string): "yes" | "no" | "perhaps" {
    if (this.at(offset)?.fromClientId !== clientId) return "no";
    const echoes = new Set(this.#sources[offset - 1]?.map(({ echo }) => echo));
    return echoes.size > 1 ? "perhaps" : echoes.has(false) ? "yes" : "no";
  }

  /** Withdrawals of this key during which it was published. */
  withdrawnAt(offset: number, key: number): readonly Withdrawal[] {
    return this.#withdrawnFrom[offset - 1]?.filter((one) => one.key === key) ?? [];
  }

  /** The last offset that was acknowledged before. */
  acknowledgedBefore(at: number): number {
    let last = 0;
    for (const { ackedAt, outcome, channel } of this.#record.publications) {
      if (channel === this.name && ackedAt < at && outcome !== undefined && "offset" in outcome)
        last = Math.max(last, outcome.offset);
    }
    return last;
  }

  #isSource({ channel, body, id, visit, key }: Publication, heard: Heard): boolean {
    if (channel !== this.name || body !== heard.body) return false;
    if (id !== undefined && id !== heard.id) return false;
    if (heard.fromClientId === null) return visit === undefined;
    // A repeat may have come over another connection of the same client.
    return (
      visit?.clientId === heard.fromClientId &&
      (id !== undefined || visit.id === heard.fromId) &&
      visit.key === key
    );
  }
}

function isDuring(
  { channel, answeredAt, restoreSentAt }: Withdrawal,
  name: string,
  sources: readonly Publication[],
): boolean {
  if (channel !== "all" && channel !== name) return false;
  return sources.every(
    ({ sentAt, ackedAt }) => sentAt > answeredAt && (Number.isNaN(restoreSentAt) || ackedAt < restoreSentAt),
  );
}
