import type { OverloadThresholds } from "./overload-stages.ts";

/**
 * From where on each stage begins. The heap's is of what lives after a collection, so that 80 % leaves V8 little to work with; a
 * healthy busy node has short turns, however full its processor is.
 */
export const DEFAULT_THRESHOLDS: OverloadThresholds = Object.freeze({
  heap: [0.8, 0.85, 0.9],
  memory: [0.85, 0.9, 0.95],
  loopDelay: [250, 500, 1_000],
  descriptors: [0.92, 0.96, 0.98],
});
