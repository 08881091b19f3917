import { writeSync } from "node:fs";

const STDOUT = 1;

/** What waits while the reader of a pipe is behind. What comes beyond it is lost, and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = 100;

/** Bytes that wait, and for how many lines they stand. */
type Waiting = { bytes: Buffer; readonly lines: number };
type Write = (bytes: Buffer) => number;

/**
 * Lines on standard output, each written at once. A log that cannot be written (a full disk, a reader that has gone, no memory) ends
 * nothing and holds nothing up: the line is lost, and the next one that is written says how many were. (pino's own
 * destination ends the process then, and never returns from its last flush.)
 */
export class LogDestination {
  readonly #write: Write;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: Write = (bytes) => writeSync(STDOUT, bytes)) {
    this.#write = write;
  }

  /** How many lines were lost since one was written. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) this.#lost += 1;
    else this.#wait(bytes);
    this.#flush();
  }

  #wait(bytes: Buffer, lines = 1): void {
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#wait(Buffer.from(`${JSON.stringify({ level: 40, lost, msg: "log lines were lost" })}\n`), lost);
    }
    this.#waiting.push({ bytes, lines });
    this.#waitingBytes += bytes.length;
  }

  #flush(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        const written = this.#write(next.bytes);
        this.#waitingBytes -= written;
        if (written < next.bytes.length) next.bytes = next.bytes.subarray(written);
        else this.#waiting.shift();
      } catch (error) {
        if (isBusy(error)) this.#retryLater();
        else this.#drop();
        return;
      }
    }
  }

  #drop(): void {
    for (const { lines } of this.#waiting) this.#lost += lines;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #retryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, RETRY_MS).unref();
  }
}

/** A pipe that does not block, and is full. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EBUSY");
}
