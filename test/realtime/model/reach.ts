import type { Entry, GameRecord, Visit } from "./trace.ts";
import type { ChannelTruth } from "./truth.ts";

/**
 * What a client may be replayed of a channel, as far as it can be known from outside: the network hides in which
 * order the server took requests of different connections.
 */
export type Reach = {
  /** A member for sure since this offset, without a break and with its right; undefined when that is not sure. */
  readonly sureFrom: number | undefined;
  /** For sure no member up to this offset. */
  readonly notBefore: number;
  /** A right was withdrawn, or may have been, while it was a member. */
  readonly wasWithdrawn: boolean;
  /** The same, or after it had left: what was sent meanwhile stays withheld. */
  readonly wasEverWithdrawn: boolean;
};

/** Follows one client through one channel, over its connections. */
export class Attendance {
  readonly #truth: ChannelTruth;
  readonly #record: GameRecord;
  readonly #key: number;
  #clientId: string | undefined;
  #sureFrom: number | undefined;
  #sureSinceAt = Number.NaN;
  #notBefore = 0;
  /** It may be one. */
  #isPossible = false;
  #possibleSinceAt = Number.NaN;
  #joinSentAt = Number.NaN;
  #firstSeenAt = Number.NaN;
  /** When it was a member for sure before. */
  #sureStretches: { readonly from: number; readonly to: number }[] = [];

  constructor(truth: ChannelTruth, record: GameRecord, key: number) {
    this.#truth = truth;
    this.#record = record;
    this.#key = key;
  }

  enter(visit: Visit): void {
    if (visit.clientId === this.#clientId) return;
    this.#clientId = visit.clientId;
    this.#firstSeenAt = Number.NaN;
    this.#sureStretches = [];
    this.#forget();
  }

  see(entry: Entry): void {
    if (entry.type === "request" && entry.request.event === "join") {
      this.#joinSentAt = entry.at;
      if (Number.isNaN(this.#firstSeenAt)) this.#firstSeenAt = entry.at;
      if (this.#isPossible) return;
      this.#isPossible = true;
      this.#possibleSinceAt = entry.at;
      this.#notBefore = this.#truth.acknowledgedBefore(entry.at);
    } else if (entry.type === "ack" && entry.request.event === "join" && entry.answer["ok"] === true) {
      const isDisturbed = this.#withdrawals(this.#joinSentAt, entry.at);
      if (isDisturbed) this.#sureFrom = undefined;
      else if (this.#sureFrom === undefined || this.#withdrawals(this.#sureSinceAt, entry.at)) {
        this.#sureFrom = Number(entry.answer["offset"]);
        this.#sureSinceAt = this.#joinSentAt;
      }
    } else if (entry.type === "request" && entry.request.event === "leave") {
      if (this.#sureFrom !== undefined) this.#sureStretches.push({ from: this.#sureSinceAt, to: entry.at });
      this.#sureFrom = undefined;
    } else if (entry.type === "ack" && entry.request.event === "leave" && entry.answer["ok"] === true) {
      this.#forget();
    }
  }

  /** As of a join that was answered at this time. */
  reach(answeredAt: number): Reach {
    const wasWithdrawn = this.#isPossible && this.#withdrawals(this.#possibleSinceAt, answeredAt);
    const isSure = this.#sureFrom !== undefined && !this.#withdrawals(this.#sureSinceAt, answeredAt);
    const wasEverWithdrawn = this.#withdrawals(this.#firstSeenAt, answeredAt);
    return {
      sureFrom: isSure ? this.#sureFrom : undefined,
      notBefore: this.#notBefore,
      wasWithdrawn,
      wasEverWithdrawn,
    };
  }

  /** Whether it was a member for sure when this time came. */
  wasSureAt(at: number): boolean {
    if (this.#sureFrom !== undefined && this.#sureSinceAt < at) return true;
    return this.#sureStretches.some(({ from, to }) => from < at && at < to);
  }

  /** Was, or may have been, a right withdrawn between? */
  #withdrawals(from: number, to: number): boolean {
    return this.#record.withdrawals.some(
      ({ key, channel, sentAt, restoredAt }) =>
        key === this.#key &&
        (channel === "all" || channel === this.#truth.name) &&
        sentAt < to &&
        !(restoredAt < from),
    );
  }

  #forget(): void {
    this.#sureFrom = undefined;
    this.#isPossible = false;
    this.#notBefore = 0;
  }
}
