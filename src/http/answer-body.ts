import { Readable } from "node:stream";

/** So much of a body is read before its head goes out, if it is there already: such a body is sent with its length. */
const AHEAD_BYTES = 64 * 1024;

type Next = { readonly done?: boolean | undefined; readonly value?: unknown };

/** Where the bytes of an answer come from. */
type Source = {
  next(): Promise<Next>;
  /** Nobody wants the rest. Does nothing after the end. */
  cancel(reason?: unknown): void;
};

/**
 * The body of a handler's answer, whose beginning is read before its head goes out. Whoever made one sends it or cancels it: an
 * upstream's connection or a file stays open until then.
 */
export class AnswerBody {
  readonly #source: Source;
  readonly #chunks: Buffer[] = [];
  #aheadBytes = 0;
  #pending: Promise<Next> | undefined;
  #isWhole = false;

  /** @throws TypeError for a stream that somebody else reads */
  constructor(stream: Readable | ReadableStream) {
    this.#source = stream instanceof Readable ? nodeSource(stream) : webSource(stream);
  }

  /** Whether all of it was read ahead. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What was read ahead. */
  start(): Buffer {
    const [only, ...more] = this.#chunks;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks);
  }

  /**
   * Waits for the first bytes, and takes what comes with them within the turn.
   * @throws what the stream fails with
   */
  async readAhead(): Promise<void> {
    let next = await this.#source.next();
    for (;;) {
      if (next.done === true) {
        this.#isWhole = true;
        return;
      }
      const chunk = bytesOf(next.value);
      if (chunk.length > 0) {
        this.#chunks.push(chunk);
        this.#aheadBytes += chunk.length;
      }
      const pending = this.#source.next();
      const soon = this.#aheadBytes < AHEAD_BYTES ? await withinTurn(pending) : undefined;
      if (soon === undefined) {
        // Awaited by the stream; until then its failure is nobody's.
        pending.catch(() => {});
        this.#pending = pending;
        return;
      }
      next = soon;
    }
  }

  /** All of it, from its beginning. `exactBytes`: it fails unless it has so many. */
  stream(exactBytes?: number): Readable {
    return new AnswerStream(this.#source, this.#chunks, this.#pending, exactBytes);
  }

  cancel(): void {
    this.#source.cancel();
  }
}

/** Reads on only when the client has taken what was before. Owns the source: its end, failure and destruction end it. */
class AnswerStream extends Readable {
  readonly #source: Source;
  readonly #ahead: Buffer[];
  #pending: Promise<Next> | undefined;
  #missingBytes: number | undefined;

  constructor(
    source: Source,
    ahead: readonly Buffer[],
    pending: Promise<Next> | undefined,
    exactBytes: number | undefined,
  ) {
    super({ highWaterMark: 16 * 1024 });
    this.#source = source;
    this.#ahead = [...ahead];
    this.#pending = pending;
    this.#missingBytes = exactBytes;
  }

  override _read(): void {
    const ahead = this.#ahead.shift();
    if (ahead === undefined) this.#pull().catch((error: unknown) => this.destroy(errorOf(error)));
    else this.#give(ahead);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.cancel(error ?? undefined);
    done(error);
  }

  async #pull(): Promise<void> {
    for (;;) {
      const pending = this.#pending ?? this.#source.next();
      this.#pending = undefined;
      const { done, value } = await pending;
      if (done === true) {
        if (this.#missingBytes !== undefined && this.#missingBytes > 0)
          throw new RangeError("the body of a handler's answer is shorter than its Content-Range");
        this.push(null);
        return;
      }
      const chunk = bytesOf(value);
      // An empty chunk is no end, and would not be asked to go on.
      if (chunk.length === 0) continue;
      this.#give(chunk);
      return;
    }
  }

  #give(chunk: Buffer): void {
    if (this.#missingBytes !== undefined) {
      this.#missingBytes -= chunk.length;
      if (this.#missingBytes < 0) {
        this.destroy(new RangeError("the body of a handler's answer is longer than its Content-Range"));
        return;
      }
    }
    this.push(chunk);
  }
}

function webSource(stream: ReadableStream): Source {
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader();
  return {
    next: () => reader.read(),
    cancel: (reason) => {
      // What failed has told its reader.
      reader.cancel(reason).catch(() => {});
    },
  };
}

function nodeSource(stream: Readable): Source {
  const chunks: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
  return {
    next: () => chunks.next(),
    cancel: () => {
      stream.destroy();
    },
  };
}

/** What a promise gives before the turn of the event loop is over; otherwise undefined. */
async function withinTurn(promise: Promise<Next>): Promise<Next | undefined> {
  let immediate: NodeJS.Immediate | undefined;
  const turn = new Promise<undefined>((resolve) => {
    immediate = setImmediate(resolve, undefined);
  });
  try {
    return await Promise.race([promise, turn]);
  } finally {
    clearImmediate(immediate);
  }
}

/** @throws TypeError for a chunk that is neither bytes nor text */
function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a handler's stream has a chunk that is no bytes but ${typeof chunk}`);
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
