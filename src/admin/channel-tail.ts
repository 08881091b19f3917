import { type Hub, type Publication, SERVER_OWNER, type Tap } from "../channels/index.ts";
import type { Position } from "../protocol/index.ts";
import type { EventStream } from "./event-stream.ts";
import { previewOf } from "./message-preview.ts";
import type { TailedMessage } from "./schemas/live.ts";

/** Messages of a second that are shown; the others are counted. */
const MAX_PER_SECOND = 50;
const MAX_TEXT_CHARS = 4_000;
/** What came together is written together. */
const FLUSH_MS = 100;
/** Retained messages that a tail begins with. */
const BEGIN_WITH = 20;

type Taken = { readonly publication: Publication; readonly position: Position };

/**
 * A channel's messages as a stream shows them. While they are published it only keeps a reference to a bounded number of
 * them; they are written out later and cut to a size, so that no publisher pays for who watches.
 */
export class ChannelTail {
  readonly #channel: string;
  readonly #tap: Tap;
  #stream: EventStream | undefined;
  #pending: Taken[] = [];
  #takenInSecond = 0;
  #dropped = 0;
  #flushTimer: NodeJS.Timeout | undefined;

  private constructor(hub: Hub, channel: string) {
    this.#channel = channel;
    this.#tap = hub.tap(channel, (publication, position) => this.#take({ publication, position }));
  }

  /** @throws when the broker is away */
  static async open(hub: Hub, channel: string): Promise<ChannelTail> {
    const tail = new ChannelTail(hub, channel);
    try {
      await tail.#tap.ready;
      await tail.#beginWithHistory(hub);
      return tail;
    } catch (error) {
      tail.close();
      throw error;
    }
  }

  /** Write to this stream from now on. */
  attach(stream: EventStream): void {
    this.#stream = stream;
    this.#flush();
  }

  /** A second has passed. */
  tick(): void {
    this.#takenInSecond = 0;
    if (this.#dropped === 0) return;
    this.#stream?.send("dropped", { count: this.#dropped });
    this.#dropped = 0;
  }

  close(): void {
    clearTimeout(this.#flushTimer);
    this.#tap.end();
    this.#pending = [];
  }

  async #beginWithHistory(hub: Hub): Promise<void> {
    const { epoch, offset } = await hub.history(this.#channel, undefined, 1, SERVER_OWNER);
    const from = { epoch, offset: Math.max(0, offset - BEGIN_WITH) };
    const { messages } = await hub.history(this.#channel, from, BEGIN_WITH, SERVER_OWNER);
    const last = messages.at(-1);
    const later = this.#pending.filter(
      ({ position }) => last === undefined || position.epoch !== last.epoch || position.offset > last.offset,
    );
    const earlier = messages.map(({ eventName, message, id, from: sender, timestamp, ...position }) => ({
      publication: { eventName, message, id, from: sender, timestamp },
      position: { epoch: position.epoch, offset: position.offset },
    }));
    this.#pending = [...earlier, ...later];
  }

  #take(taken: Taken): void {
    if (this.#takenInSecond >= MAX_PER_SECOND) {
      this.#dropped += 1;
      return;
    }
    this.#takenInSecond += 1;
    this.#pending.push(taken);
    if (this.#stream === undefined || this.#flushTimer !== undefined) return;
    this.#flushTimer = setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    this.#flushTimer = undefined;
    const pending = this.#pending;
    this.#pending = [];
    for (const taken of pending) this.#stream?.send("message", this.#viewOf(taken));
  }

  #viewOf({ publication, position }: Taken): TailedMessage {
    const { eventName, id, from, timestamp, message } = publication;
    const preview = previewOf(message, MAX_TEXT_CHARS);
    return { channel: this.#channel, eventName, id, from, timestamp, ...position, ...preview };
  }
}
