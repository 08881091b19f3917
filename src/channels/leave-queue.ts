import type { Client } from "./clients.ts";
import type { Resident } from "./resident.ts";

/** How long telling the leaves of many may hold the event loop. */
const SLICE_MS = 1;

/**
 * Those who were taken out and whose leaves are still to be told, by channel. Few are told at once. Thousands are told
 * in slices, so that others do not wait, and channel by channel, so that what one watcher hears is written together.
 */
export class LeaveQueue {
  readonly #tell: (channel: string, resident: Resident) => void;
  readonly #leaving = new Map<string, Resident[]>();
  #next: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(tell: (channel: string, resident: Resident) => void) {
    this.#tell = tell;
  }

  add(channel: string, resident: Resident): void {
    const leaving = this.#leaving.get(channel);
    if (leaving === undefined) this.#leaving.set(channel, [resident]);
    else leaving.push(resident);
  }

  /** Tell nothing until the next `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.flow();
  }

  /** Tell what is queued, unless it is held. */
  flow(): void {
    if (this.#next !== undefined || this.#isHeld) return;
    const untilMs = performance.now() + SLICE_MS;
    for (const [channel, leaving] of this.#leaving) {
      for (let resident = leaving.pop(); resident !== undefined; resident = leaving.pop()) {
        this.#tell(channel, resident);
        if (performance.now() < untilMs) continue;
        this.#next = setImmediate(() => {
          this.#next = undefined;
          this.flow();
        });
        return;
      }
      this.#leaving.delete(channel);
    }
  }

  /** A client that has come back is not told to have left after it was told to have come. */
  tellOf(channel: string, client: Client): void {
    const leaving = this.#leaving.get(channel);
    const at = leaving?.findIndex((resident) => resident.client === client) ?? -1;
    const [resident] = at === -1 ? [] : (leaving?.splice(at, 1) ?? []);
    if (resident !== undefined) this.#tell(channel, resident);
  }

  /** Forget what is queued. */
  close(): void {
    clearImmediate(this.#next);
    this.#leaving.clear();
  }
}
