import type { OverloadStage } from "./overload-state.ts";

/** From which value on each stage holds, rising. */
export type StageThresholds = readonly [number, number, number];

export type TriggerOptions = {
  readonly thresholds: StageThresholds;
  /** Readings in a row that a stage must be reached in before it begins: one late turn is no overload. */
  readonly enterAfter: number;
  /** Readings in a row below {@link leaveShare} of the stage's threshold before it ends. */
  readonly leaveAfter: number;
  readonly leaveShare: number;
};

/**
 * The stage of one resource, with hysteresis (after Envoy's overload manager, whose triggers are thresholds and whose actions
 * saturate): it rises when several readings in a row ask for it, to the lowest that all of them reach, and falls one stage at a
 * time when several in a row are clearly below. Between the two nothing changes.
 */
export class PressureTrigger {
  readonly #options: TriggerOptions;
  #stage: OverloadStage = 0;
  #above = 0;
  #lowestAbove: OverloadStage = 3;
  #below = 0;

  constructor(options: TriggerOptions) {
    this.#options = options;
  }

  get stage(): OverloadStage {
    return this.#stage;
  }

  /** The value from which the present stage holds; of the first where none does. */
  get threshold(): number {
    return this.#options.thresholds[this.#stage === 3 ? 2 : this.#stage === 2 ? 1 : 0];
  }

  /** A new reading. */
  update(value: number): OverloadStage {
    const { thresholds, enterAfter, leaveAfter, leaveShare } = this.#options;
    const reached = stageOf(value, thresholds);
    if (reached > this.#stage) {
      this.#below = 0;
      this.#above += 1;
      if (reached < this.#lowestAbove) this.#lowestAbove = reached;
      if (this.#above >= enterAfter) this.#enter(this.#lowestAbove);
      return this.#stage;
    }
    this.#above = 0;
    this.#lowestAbove = 3;
    this.#below = this.#stage > 0 && value < this.threshold * leaveShare ? this.#below + 1 : 0;
    if (this.#below >= leaveAfter) this.#enter(lower(this.#stage));
    return this.#stage;
  }

  #enter(stage: OverloadStage): void {
    this.#stage = stage;
    this.#above = 0;
    this.#lowestAbove = 3;
    this.#below = 0;
  }
}

function stageOf(value: number, [first, second, third]: StageThresholds): OverloadStage {
  if (value >= third) return 3;
  if (value >= second) return 2;
  return value >= first ? 1 : 0;
}

function lower(stage: OverloadStage): OverloadStage {
  return stage === 3 ? 2 : stage === 2 ? 1 : 0;
}
