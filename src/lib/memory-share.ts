import { getHeapStatistics } from "node:v8";

/** V8's young generation, which its limit includes and what is kept for long never fills. */
const YOUNG_BYTES = 48 * 1024 * 1024;

/**
 * The memory that this process may count on: V8's heap limit, or the container's limit where that is lower. Binary values
 * lie outside the heap; a process that kept them up to the container's limit would be ended all the same.
 */
export function usableMemoryBytes(): number {
  const limit = getHeapStatistics().heap_size_limit;
  const heap = Math.max(limit - YOUNG_BYTES, limit / 2);
  // 0 or undefined where the system does not say, 2^64 where there is no limit.
  const container = process.constrainedMemory?.() ?? 0;
  return container > 0 ? Math.min(heap, container) : heap;
}

/** A share of {@link usableMemoryBytes} in things of so many bytes each, at most `max` of them. */
export function shareOfMemory(share: number, max: number, bytesEach = 1): number {
  return Math.max(1, Math.min(max, Math.floor((usableMemoryBytes() * share) / bytesEach)));
}
