import { closeSync, openSync, readSync } from "node:fs";
import { totalmem } from "node:os";

const STATM = "/proc/self/statm";

/**
 * The resident memory of this process that the system cannot take back (without mapped files, such as the store's), against what
 * its control group or the machine has. Holds `/proc/self/statm` open, so that reading needs no descriptor later; elsewhere than
 * on Linux Node is asked. Where neither can be read the last value stays.
 */
export class ProcessMemory {
  readonly limitBytes: number;
  readonly #buffer = Buffer.alloc(256);
  #descriptor: number | undefined;
  #pageBytes = 4096;
  #residentBytes = 0;
  #anonymousBytes = 0;

  constructor() {
    const constrained = process.constrainedMemory();
    this.limitBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
    try {
      this.#descriptor = openSync(STATM, "r");
      const [pages] = this.#readPages();
      // A page has 4, 16 or 64 KiB, by the processor.
      if (pages > 0) this.#pageBytes = 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages));
    } catch {
      this.#close();
    }
    this.read();
  }

  get residentBytes(): number {
    return this.#residentBytes;
  }

  /** Resident, without what is backed by files. */
  get anonymousBytes(): number {
    return this.#anonymousBytes;
  }

  /** Never throws: under EMFILE and ENOMEM the last value stays. */
  read(): void {
    try {
      if (this.#descriptor === undefined) {
        this.#residentBytes = this.#anonymousBytes = process.memoryUsage.rss();
        return;
      }
      const [resident, shared] = this.#readPages();
      this.#residentBytes = resident * this.#pageBytes;
      this.#anonymousBytes = Math.max(0, resident - shared) * this.#pageBytes;
    } catch {
      // The last value stays.
    }
  }

  close(): void {
    this.#close();
  }

  #close(): void {
    if (this.#descriptor === undefined) return;
    try {
      closeSync(this.#descriptor);
    } catch {
      // It is gone anyhow.
    }
    this.#descriptor = undefined;
  }

  #readPages(): readonly [resident: number, shared: number] {
    if (this.#descriptor === undefined) return [0, 0];
    const length = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, 0);
    const [, resident = 0, shared = 0] = this.#buffer.toString("latin1", 0, length).split(" ").map(Number);
    return [resident, shared];
  }
}
