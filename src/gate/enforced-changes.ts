import { faultOf, type Logger } from "../observe/log.ts";

export type EnforcedChangesOptions = {
  /** Enforces a key's change on its connections; a promise where that takes longer than a moment. */
  readonly enforce: (keyId: string) => Promise<void> | undefined;
  readonly log: Logger;
};

/** The changes of keys that are being enforced: whoever has made one waits until it is. Owns an entry for each key until then. */
export class EnforcedChanges {
  readonly #options: EnforcedChangesOptions;
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: EnforcedChangesOptions) {
    this.#options = options;
  }

  begin(keyId: string): void {
    const { enforce, log } = this.#options;
    const running = enforce(keyId);
    if (running === undefined) return;
    const done = running
      .catch((error: unknown) =>
        log.error({ keyId, fault: faultOf(error) }, "enforcing a key's change failed"),
      )
      .finally(() => {
        if (this.#open.get(keyId) === done) this.#open.delete(keyId);
      });
    this.#open.set(keyId, done);
  }

  /** Resolves when the key's changes are enforced; undefined when they are. It never rejects. */
  of(keyId: string): Promise<void> | undefined {
    return this.#open.get(keyId);
  }

  /** The same of all keys. */
  async all(): Promise<void> {
    await Promise.all(this.#open.values());
  }
}
