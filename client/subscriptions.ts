import { type Joined, parseJoin, parseNothing } from "./answers.ts";
import type { JoinOptions } from "./options.ts";
import type { Call } from "./outbox.ts";
import { Positions } from "./positions.ts";
import { localError, mayRetry, type Result, type SluiceError } from "./result.ts";

type SendAhead = <T>(call: Call<T>) => Promise<Result<T>>;
type Report = (error: SluiceError, channel: string | null, retrying: boolean) => void;

const RETRY_MS = 2000;
/** Joins on their way at once; the server refuses more than 1,000 requests at a time. */
const BATCH_SIZE = 100;

/**
 * What the server forgets with a connection and the client puts back: the profile, and the channels in the
 * order in which they were joined. Only what the server accepted is in here.
 */
export class Subscriptions {
  readonly #send: SendAhead;
  readonly #report: Report;
  readonly #channels = new Map<string, JoinOptions>();
  /** Up to where each of the channels was heard; also of those whose join is on its way. */
  readonly #positions = new Positions();
  readonly #retryTimers = new Set<ReturnType<typeof setTimeout>>();
  #profile: { readonly data: unknown } | undefined;
  /** Counts connections, so that what a former one still answers is told apart. */
  #round = 0;

  constructor(send: SendAhead, report: Report) {
    this.#send = send;
    this.#report = report;
  }

  get channels(): string[] {
    return [...this.#channels.keys()];
  }

  /** The call that joins a channel: from where it was heard up to, if it was. */
  joinCall(channel: string, { echo }: JoinOptions): Call<Joined> {
    this.#positions.follow(channel);
    const payload = (): object => {
      const since = this.#positions.of(channel);
      return {
        channel,
        ...(echo === undefined ? {} : { echo }),
        ...(since === undefined ? {} : { since }),
      };
    };
    return { event: "join", payload, parse: parseJoin, repeatable: "always" };
  }

  /** The server took the join. */
  add(channel: string, options: JoinOptions, { epoch, offset }: Joined): void {
    this.#channels.set(channel, options);
    this.#positions.reach(channel, epoch, offset);
  }

  /** A message, or the word that there will be none, up to this place. */
  reach(channel: string, epoch: string, offset: number): void {
    this.#positions.reach(channel, epoch, offset);
  }

  drop(channel: string): void {
    this.#channels.delete(channel);
    this.#positions.forget(channel);
  }

  keepProfile(data: unknown): void {
    this.#profile = { data };
  }

  /** Resolves to false when the connection was lost meanwhile: the next one starts over. */
  async restore(): Promise<boolean> {
    this.suspend();
    const round = this.#round;
    // The profile goes first, so that other members see the join with it.
    await this.#restoreProfile(round);
    const channels = this.channels;
    for (let start = 0; start < channels.length && round === this.#round; start += BATCH_SIZE) {
      const batch = channels.slice(start, start + BATCH_SIZE);
      await Promise.all(batch.map((channel) => this.#rejoin(channel, round)));
    }
    return round === this.#round;
  }

  /** The connection is gone: stop what still tries on it. */
  suspend(): void {
    this.#round += 1;
    for (const timer of this.#retryTimers) clearTimeout(timer);
    this.#retryTimers.clear();
  }

  async #restoreProfile(round: number): Promise<void> {
    if (this.#profile === undefined) return;
    const { error } = await this.#send({ ...updateCall(this.#profile.data), repeatable: "never" });
    if (error && round === this.#round) this.#report(error, null, false);
  }

  async #rejoin(channel: string, round: number): Promise<void> {
    const options = this.#channels.get(channel);
    if (options === undefined) return;
    const { data, error } = await this.#send({ ...this.joinCall(channel, options), repeatable: "never" });
    if (data && this.#channels.has(channel)) this.#positions.reach(channel, data.epoch, data.offset);
    if (!error || round !== this.#round || !this.#channels.has(channel)) return;
    const retrying = mayRetry(error.code) || error.code === localError("ack_timeout").code;
    if (retrying) this.#rejoinLater(channel, round, error.afterMs ?? RETRY_MS);
    else this.drop(channel);
    this.#report(error, channel, retrying);
  }

  #rejoinLater(channel: string, round: number, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#retryTimers.delete(timer);
      void this.#rejoin(channel, round);
    }, delayMs);
    this.#retryTimers.add(timer);
  }
}

export function updateCall(data: unknown, echo?: boolean): Call<null> {
  const payload = echo === undefined ? { data } : { data, echo };
  return { event: "update", payload, parse: parseNothing, repeatable: "always" };
}
