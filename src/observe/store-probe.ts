export type StoreProbeOptions = {
  /** A tiny write, which resolves when the store has it. */
  readonly write: () => Promise<void>;
  /** Whoever asks within this time is answered by what was found before. */
  readonly everyMs?: number;
  readonly timeoutMs?: number;
  readonly now?: () => number;
};

const EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;

/**
 * Whether the store takes writes: one write at most every few seconds and at most one at a time, however many ask, so that nobody
 * can make a storm of them by asking.
 */
export class StoreProbe {
  readonly #write: () => Promise<void>;
  readonly #everyMs: number;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #atMs = Number.NEGATIVE_INFINITY;
  #takesWrites = false;
  /** The answer that is being waited for, by all who ask meanwhile. */
  #answer: Promise<boolean> | undefined;
  /** A write that has not been answered yet, perhaps long after its time. */
  #isWriting = false;

  constructor({
    write,
    everyMs = EVERY_MS,
    timeoutMs = TIMEOUT_MS,
    now = () => performance.now(),
  }: StoreProbeOptions) {
    this.#write = write;
    this.#everyMs = everyMs;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** Never rejects. Resolves within the time limit, to false where the store has not answered by then. */
  takesWrites(): Promise<boolean> {
    if (this.#answer !== undefined) return this.#answer;
    // A write that hangs is asked about, not repeated.
    if (this.#isWriting) return Promise.resolve(false);
    if (this.#now() - this.#atMs < this.#everyMs) return Promise.resolve(this.#takesWrites);
    this.#answer = this.#ask().finally(() => {
      this.#answer = undefined;
    });
    return this.#answer;
  }

  async #ask(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#timeoutMs);
      timer.unref();
    });
    const takesWrites = await Promise.race([this.#try(), late]);
    clearTimeout(timer);
    this.#note(takesWrites);
    return takesWrites;
  }

  async #try(): Promise<boolean> {
    this.#isWriting = true;
    let takesWrites = false;
    try {
      await this.#write();
      takesWrites = true;
    } catch {
      // Said by the answer; whoever writes for a reason has it in the log.
    }
    this.#isWriting = false;
    this.#note(takesWrites);
    return takesWrites;
  }

  #note(takesWrites: boolean): void {
    this.#takesWrites = takesWrites;
    this.#atMs = this.#now();
  }
}
