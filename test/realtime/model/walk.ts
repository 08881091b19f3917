import { Attendance } from "./reach.ts";
import { type Entry, type GameRecord, isTakenOver, type Position, type Visit } from "./trace.ts";
import type { Broken, ChannelTruth } from "./truth.ts";

type Membership = {
  state: "joining" | "joined";
  readonly since: Position | undefined;
  /** Has heard, or was told that it will not hear, everything up to here. */
  at: number;
  saidGap: boolean;
  /** Came before the answer to a join without `since`. */
  readonly early: number[];
};
type EntryOf<T extends Entry["type"]> = Extract<Entry, { type: T }>;

/** Follows a client through a channel, connection after connection, and holds what it saw against the contract. */
export class Walk {
  readonly #truth: ChannelTruth;
  readonly #record: GameRecord;
  readonly #attendance: Attendance;
  readonly #key: number;
  #visit: Visit;
  #membership: Membership | undefined;
  /** What this very connection has heard. */
  #heard = new Set<number>();
  #leaveSentAt = Number.NaN;
  /** A join that was asked for while it was a member: it begins anew if it is one no longer when the server comes to it. */
  #rejoin: { readonly since: Position | undefined } | undefined;

  constructor(truth: ChannelTruth, record: GameRecord, visits: readonly Visit[]) {
    const [first] = visits;
    if (first === undefined) throw new Error("a walk needs a visit");
    this.#truth = truth;
    this.#record = record;
    this.#key = first.key;
    this.#visit = first;
    this.#attendance = new Attendance(truth, record, first.key);
    for (const visit of visits) this.#follow(visit, isTakenOver(visit, visits));
  }

  #follow(visit: Visit, isTakenOver: boolean): void {
    this.#visit = visit;
    this.#heard = new Set();
    this.#membership = undefined;
    this.#rejoin = undefined;
    if (visit.id === "") return;
    this.#attendance.enter(visit);
    for (const entry of visit.trace) {
      if (entry.type === "end") return;
      const channel = "request" in entry ? entry.request.channel : "channel" in entry ? entry.channel : null;
      if (channel !== this.#truth.name) continue;
      this.#see(entry);
      this.#attendance.see(entry);
    }
    if (this.#membership !== undefined && !isTakenOver) this.#expectUpTo(this.#truth.last, "at the end");
  }

  #see(entry: Entry): void {
    if (entry.type === "message") this.#onMessage(entry);
    else if (entry.type === "gap") this.#onGap(entry);
    else if (entry.type === "closed") this.#onClosed(entry);
    else if (entry.type === "request" && entry.request.event === "join") this.#onJoin(entry.request.since);
    else if (entry.type === "request" && entry.request.event === "leave") this.#leaveSentAt = entry.at;
    else if (entry.type === "ack") this.#onAck(entry);
  }

  #onJoin(since: Position | undefined): void {
    if (this.#membership !== undefined) {
      this.#rejoin = { since };
      return;
    }
    this.#membership = { state: "joining", since, at: since?.offset ?? 0, saidGap: false, early: [] };
  }

  #onMessage({ offset, epoch, body, id, fromId, fromClientId, at }: EntryOf<"message">): void {
    const true_ = this.#truth.at(offset);
    if (
      true_ === undefined ||
      epoch !== this.#truth.epoch ||
      true_.body !== body ||
      true_.id !== id ||
      true_.fromId !== fromId ||
      true_.fromClientId !== fromClientId
    )
      throw this.#broken(`offset ${offset} is another message than others heard there`);
    if (this.#heard.has(offset)) throw this.#broken(`offset ${offset} came twice`);
    this.#heard.add(offset);
    const membership = this.#membership;
    if (membership === undefined) throw this.#broken(`offset ${offset} came although it was no member`);
    if (this.#truth.isOwn(offset, this.#visit.clientId) === "yes")
      throw this.#broken(`offset ${offset} is its own, without echo`);
    this.#mayHear(offset, membership, at);
    if (membership.state === "joining" && membership.since === undefined) membership.early.push(offset);
    else this.#advance(membership, offset);
  }

  /** Not what was sent before it was a member, nor while its right was withdrawn. */
  #mayHear(offset: number, { state, since }: Membership, at: number): void {
    const { notBefore } = this.#attendance.reach(at);
    if (this.#key === 0 && state === "joining" && since !== undefined && offset <= notBefore)
      throw this.#broken(
        `offset ${offset} was replayed, from before its membership (which began after ${notBefore}) and without the history right`,
      );
    for (const { sentAt } of this.#truth.withdrawnAt(offset, this.#key)) {
      if (this.#key === 0 || this.#attendance.wasSureAt(sentAt))
        throw this.#broken(`offset ${offset} was sent while its right was withdrawn`);
    }
  }

  #advance(membership: Membership, offset: number): void {
    if (offset <= membership.at) throw this.#broken(`offset ${offset} came after ${membership.at}`);
    this.#expectUpTo(offset - 1, `when ${offset} came`);
    membership.at = offset;
  }

  #onGap({ after, before, reason, epoch, at }: EntryOf<"gap">): void {
    const membership = this.#membership;
    if (membership === undefined || membership.state !== "joining" || membership.since === undefined)
      throw this.#broken("a gap out of a join with since");
    if (epoch !== this.#truth.epoch && this.#truth.last > 0)
      throw this.#broken(`a gap of another epoch: ${epoch}`);
    const { since } = membership;
    membership.saidGap = true;
    if (reason === "epoch_lost") {
      if (since.epoch === this.#truth.epoch && since.offset <= this.#truth.last)
        throw this.#broken("an epoch is said to be lost that is not");
      membership.at = before - 1;
      return;
    }
    if (before <= after + 1) throw this.#broken(`an empty gap after ${after}`);
    this.#expectUpTo(after, "when a gap began");
    if (after < membership.at)
      throw this.#broken(`a gap after ${after}, where it had heard ${membership.at}`);
    membership.at = before - 1;
    if (reason === "trimmed" && before - 1 > this.#truth.last - this.#truth.window)
      throw this.#broken(`${before - 1} is said to be trimmed and cannot be`);
    if (reason !== "not_a_member") return;
    const { sureFrom, wasWithdrawn, wasEverWithdrawn } = this.#attendance.reach(at);
    if (this.#key === 1 && !wasEverWithdrawn) throw this.#broken("not_a_member with the history right");
    if (sureFrom !== undefined && after >= sureFrom && !wasWithdrawn)
      throw this.#broken(`not_a_member after ${after}, where it has been one since ${sureFrom}`);
  }

  #onAck({ request, answer, at }: EntryOf<"ack">): void {
    const { event } = request;
    const isOk = answer["ok"] === true;
    if (event === "join")
      this.#onJoined(isOk, Number(answer["offset"]), answer["recovered"] === true, answer);
    else if (event === "leave") this.#onLeft(isOk);
    else if (event === "message" && isOk) {
      if (this.#membership?.state !== "joined") return;
      // A leave on its way may have been taken before.
      if (!(this.#leaveSentAt < at))
        this.#expectUpTo(Number(answer["offset"]), "when its own publish was acknowledged");
    }
  }

  #onJoined(isOk: boolean, offset: number, recovered: boolean, answer: unknown): void {
    this.#rejoin = undefined;
    const membership = this.#membership;
    if (!isOk) {
      this.#mayBeRefused(answer);
      this.#membership = undefined;
      return;
    }
    this.#leaveSentAt = Number.NaN;
    if (membership === undefined) throw this.#broken("a join was answered that nobody asked for");
    if (membership.state === "joined") {
      this.#expectUpTo(offset, "when it joined again");
      return;
    }
    membership.state = "joined";
    if (membership.since === undefined) {
      membership.at = offset;
      for (const early of membership.early.splice(0)) this.#advance(membership, early);
      if (recovered) throw this.#broken("recovered, without since");
      return;
    }
    if (recovered === membership.saidGap)
      throw this.#broken(`recovered is ${recovered}, and ${membership.saidGap ? "a" : "no"} gap was said`);
    this.#expectUpTo(offset, "when its join was acknowledged");
    membership.at = Math.max(membership.at, offset);
  }

  #onLeft(isOk: boolean): void {
    if (isOk && this.#membership?.state === "joined")
      this.#expectUpTo(this.#truth.acknowledgedBefore(this.#leaveSentAt), "when it left");
    this.#membership = undefined;
  }

  #onClosed({ at }: EntryOf<"closed">): void {
    const withdrawal = this.#record.withdrawals.findLast(
      ({ key, channel, sentAt }) => key === this.#key && channel === this.#truth.name && sentAt < at,
    );
    if (withdrawal === undefined) throw this.#broken("channel:closed although nothing was withdrawn");
    if (this.#membership?.state === "joined" && Number.isNaN(this.#leaveSentAt))
      this.#expectUpTo(this.#truth.acknowledgedBefore(withdrawal.sentAt), "when it was closed");
    if (this.#membership?.state !== "joined") return;
    const rejoin = this.#rejoin;
    this.#rejoin = undefined;
    this.#membership = undefined;
    if (rejoin !== undefined) this.#onJoin(rejoin.since);
  }

  #mayBeRefused(answer: unknown): void {
    const mayBe = this.#record.withdrawals.some(
      ({ key, channel }) => key === this.#key && (channel === "all" || channel === this.#truth.name),
    );
    if (!mayBe) throw this.#broken(`a join was refused: ${JSON.stringify(answer)}`);
  }

  /** Everything up to an offset was heard, or is not to be heard by this connection. */
  #expectUpTo(offset: number, when: string): void {
    const membership = this.#membership;
    if (membership === undefined) return;
    for (let next = membership.at + 1; next <= offset; next += 1) {
      if (this.#heard.has(next) || this.#truth.isOwn(next, this.#visit.clientId) !== "no") continue;
      throw this.#broken(`offset ${next} was missing ${when}`);
    }
  }

  #broken(message: string): Broken {
    return this.#truth.broken(`${this.#visit.name}: ${message}`, this.#visit, this.#record.witness);
  }
}
