import { constants, PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * The three semi-spaces of the young generation, which V8 counts in its limit but never fills with what lives: what ends a process
 * is the old generation (a heap of 128 MiB, whose limit V8 gives as 176, dies at 125).
 */
const YOUNG_BYTES = 3 * 16 * 1024 * 1024;

/** A reading that is older than this is renewed while it matters. */
const STALE_MS = 5_000;

/** Of the time, how much collections that were asked for may take at most. */
const COLLECTING_SHARE = 1 / 20;

/**
 * What lives in the heap, against its limit: the old generation as it was after the last major collection. What is merely not
 * collected yet is no pressure.
 */
export class HeapUsage {
  readonly limitBytes: number;
  readonly #observer: PerformanceObserver;
  #liveBytes: number;
  #liveExternalBytes: number;
  #sequence = 0;
  #readAtMs = performance.now();
  #collectAfterMs = 0;
  #onReading: (() => void) | undefined;

  constructor() {
    const { heap_size_limit: limit } = getHeapStatistics();
    this.limitBytes = Math.max(limit - YOUNG_BYTES, limit / 2);
    this.#liveBytes = oldGenerationBytes();
    this.#liveExternalBytes = getHeapStatistics().external_memory;
    this.#observer = new PerformanceObserver((list) => {
      if (list.getEntries().some(isMajor)) this.#note();
    });
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** Called after each major collection. */
  set onReading(listener: () => void) {
    this.#onReading = listener;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** With the buffers outside of the heap. */
  get liveTotalBytes(): number {
    return this.#liveBytes + this.#liveExternalBytes;
  }

  /** Counts the major collections. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Bytes of heap and buffers that nobody can say yet whether they live, and pages of the heap without content. */
  get uncertainBytes(): number {
    const { external_memory: external, total_heap_size: total, used_heap_size: used } = getHeapStatistics();
    const uncollected = Math.max(0, oldGenerationBytes() - this.#liveBytes);
    return uncollected + Math.max(0, external - this.#liveExternalBytes) + Math.max(0, total - used);
  }

  /**
   * Collect now if the last collection is long ago: V8 alone may wait for minutes once nobody allocates any more, and what was
   * freed would look as if it lived. Stops the process for as long as V8's own would; never for more than a small share of the time.
   */
  collectIfStale(): void {
    const nowMs = performance.now();
    if (nowMs - this.#readAtMs < STALE_MS || nowMs < this.#collectAfterMs) return;
    collect();
    const tookMs = performance.now() - nowMs;
    this.#collectAfterMs = nowMs + Math.max(STALE_MS, tookMs / COLLECTING_SHARE);
  }

  close(): void {
    this.#observer.disconnect();
    this.#onReading = undefined;
  }

  #note(): void {
    this.#liveBytes = oldGenerationBytes();
    this.#liveExternalBytes = getHeapStatistics().external_memory;
    this.#sequence += 1;
    this.#readAtMs = performance.now();
    this.#onReading?.();
  }
}

/** V8's `gc`, which Node does not offer without a flag. Made when it is first needed. */
function collect(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("gc");
    collector = typeof found === "function" ? () => void Reflect.apply(found, undefined, []) : () => {};
  }
  collector();
}
let collector: (() => void) | undefined;

function oldGenerationBytes(): number {
  let bytes = 0;
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics())
    if (!name.startsWith("new_")) bytes += used;
  return bytes;
}

function isMajor(entry: object): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  return (
    typeof detail === "object" &&
    detail !== null &&
    "kind" in detail &&
    detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR
  );
}
