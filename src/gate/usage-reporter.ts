import type { KeyStore } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { UsageMeter } from "./usage-meter.ts";

/** How often counted usage goes to the store. */
const FLUSH_MS = 15_000;

/** Counts what keys were allowed and denied, and puts it into the store now and then. Owns its timer. */
export class UsageReporter {
  readonly #keys: Pick<KeyStore, "recordUsage">;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #meter = new UsageMeter();
  readonly #timer: NodeJS.Timeout;

  constructor(keys: Pick<KeyStore, "recordUsage">, log: Logger, now: () => number) {
    this.#keys = keys;
    this.#log = log;
    this.#now = now;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  allowed(keyId: string): void {
    this.#meter.allowed(keyId, this.#now());
  }

  denied(keyId: string, code: string): void {
    this.#meter.denied(keyId, code, this.#now());
  }

  /** Put what was counted into the store; what it does not take is counted with what comes next. */
  async flush(): Promise<void> {
    const reports = this.#meter.take();
    if (reports.length === 0) return;
    try {
      await this.#keys.recordUsage(reports);
    } catch (error) {
      this.#meter.giveBack(reports);
      this.#log.error({ fault: faultOf(error) }, "the usage of keys could not be written");
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}
