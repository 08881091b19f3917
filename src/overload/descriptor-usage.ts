import { readdirSync, statSync } from "node:fs";
import { descriptorLimit } from "../lib/descriptor-limit.ts";

const FOLDER = "/proc/self/fd";

/** Where they cannot be counted, they are listed at every so many readings. */
const LIST_EVERY = 16;

/**
 * The open file descriptors of this process, against its soft limit. Since Linux 6.2 the size of `/proc/self/fd` is their number,
 * which asking for needs no descriptor; before, they are the TCP connections that the listeners know and the others, listed now and then.
 * Where there is no limit to be read the share is 0.
 */
export class DescriptorUsage {
  /** Undefined where the system does not say. */
  readonly limit: number | undefined;
  readonly #openSockets: () => number;
  /** Descriptors that are no known TCP connection, when they were counted last. */
  #others: number;
  #open: number;
  #reads = 0;

  constructor(openSockets: () => number) {
    this.#openSockets = openSockets;
    this.limit = descriptorLimit();
    this.#open = counted() ?? listed() ?? openSockets();
    this.#others = Math.max(0, this.#open - openSockets());
  }

  get open(): number {
    return this.#open;
  }

  /** Never throws. */
  read(): void {
    this.#reads += 1;
    const open = counted() ?? (this.#reads % LIST_EVERY === 0 ? listed() : undefined);
    if (open !== undefined) this.#others = Math.max(0, open - this.#openSockets());
    this.#open = open ?? this.#others + this.#openSockets();
  }
}

function counted(): number | undefined {
  try {
    const { size } = statSync(FOLDER);
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/** Takes 10 ms for 20,000, and a descriptor. */
function listed(): number | undefined {
  try {
    return readdirSync(FOLDER).length;
  } catch {
    return undefined;
  }
}
