import { FairQueue } from "../../lib/fair-queue.ts";
import type { Stream } from "./stream.ts";

/** How many streams give way, or change their owner, in one call. */
const MAX_SETTLED_AT_ONCE = 64;

/**
 * Streams that nobody listens to: they keep their epoch and offset for a while. Each is charged to one owner that was told of
 * its epoch. When that one has to give way, another that was told and holds less is charged instead, so that nobody below its
 * fair share loses a position.
 */
export class IdleStreams {
  readonly #byChannel = new Map<string, Stream>();
  readonly #queue: FairQueue<Stream>;

  /** @param max how many there may be, of all owners */
  constructor(max: number) {
    this.#queue = new FairQueue(max);
  }

  get(channel: string): Stream | undefined {
    return this.#byChannel.get(channel);
  }

  values(): Iterable<Stream> {
    return this.#byChannel.values();
  }

  get size(): number {
    return this.#byChannel.size;
  }

  get isExceeded(): boolean {
    return this.#queue.isExceeded;
  }

  /** From now on, or again: it is the owner's newest. */
  keep(stream: Stream, nowMs: number): void {
    stream.idleSinceMs = nowMs;
    if (stream.queue !== undefined) {
      this.#queue.renew(stream);
      return;
    }
    this.#byChannel.set(stream.channel, stream);
    this.#queue.add(stream.owner, stream, 1);
  }

  /** It is listened to again, or at its end. */
  take(stream: Stream): void {
    if (stream.queue === undefined) return;
    this.#byChannel.delete(stream.channel);
    this.#queue.remove(stream);
  }

  /** Those that have to give way now, taken out; there may be more while {@link isExceeded}. */
  settle(): readonly Stream[] {
    const ended: Stream[] = [];
    for (let settled = 0; settled < MAX_SETTLED_AT_ONCE && this.#queue.isExceeded; settled += 1) {
      const stream = this.#queue.first;
      if (stream === undefined) break;
      const heir = this.#lightest(stream);
      if (heir === undefined) {
        this.take(stream);
        ended.push(stream);
        continue;
      }
      this.#queue.remove(stream);
      stream.others = stream.others?.filter((owner) => owner !== heir);
      stream.owner = heir;
      this.#queue.add(heir, stream, 1);
    }
    return ended;
  }

  clear(): void {
    this.#byChannel.clear();
    this.#queue.clear();
  }

  /** Of the others, the one that holds least, if that is less than the owner even with this one. */
  #lightest({ owner, others }: Stream): string | undefined {
    let lightest: string | undefined;
    let least = this.#queue.amountOf(owner) - 1;
    for (const other of others ?? []) {
      const amount = this.#queue.amountOf(other);
      if (amount >= least) continue;
      least = amount;
      lightest = other;
    }
    return lightest;
  }
}
