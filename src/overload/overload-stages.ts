import { OVERLOAD_RESOURCES, type OverloadResource, type OverloadStage } from "./overload-state.ts";
import { PressureTrigger, type StageThresholds } from "./pressure-trigger.ts";

/** Shares of the limit for `heap`, `memory` and `descriptors`; milliseconds for `loopDelay`. */
export type OverloadThresholds = Readonly<Record<OverloadResource, StageThresholds>>;

export type OverloadCause = {
  readonly resource: OverloadResource;
  readonly value: number;
  readonly threshold: number;
};

/**
 * How many readings in a row begin and end a stage. Heap readings come after a collection, so that one is proof; memory and
 * descriptors are read four times a second, the loop's delay once.
 */
const PATIENCE: Readonly<
  Record<OverloadResource, { enterAfter: number; leaveAfter: number; leaveShare: number }>
> = {
  heap: { enterAfter: 1, leaveAfter: 4, leaveShare: 0.95 },
  memory: { enterAfter: 3, leaveAfter: 4, leaveShare: 0.95 },
  loopDelay: { enterAfter: 3, leaveAfter: 2, leaveShare: 0.8 },
  descriptors: { enterAfter: 2, leaveAfter: 4, leaveShare: 0.97 },
};

/** The node's stage: the highest that any resource asks for. Pure: readings come in, nothing is measured here. */
export class OverloadStages {
  readonly #triggers: ReadonlyMap<OverloadResource, PressureTrigger>;
  readonly #values = new Map<OverloadResource, number>();

  constructor(thresholds: OverloadThresholds) {
    this.#triggers = new Map(
      OVERLOAD_RESOURCES.map((resource) => [
        resource,
        new PressureTrigger({ thresholds: thresholds[resource], ...PATIENCE[resource] }),
      ]),
    );
  }

  /** A new reading of one resource. @returns the node's stage */
  update(resource: OverloadResource, value: number): OverloadStage {
    this.#values.set(resource, value);
    this.#triggers.get(resource)?.update(value);
    return this.stage;
  }

  get stage(): OverloadStage {
    let stage: OverloadStage = 0;
    for (const trigger of this.#triggers.values()) if (trigger.stage > stage) stage = trigger.stage;
    return stage;
  }

  /** The resources that ask for the present stage; none at stage 0. */
  get causes(): readonly OverloadCause[] {
    const { stage } = this;
    if (stage === 0) return [];
    return [...this.#triggers]
      .filter(([, trigger]) => trigger.stage === stage)
      .map(([resource, { threshold }]) => ({ resource, value: this.#values.get(resource) ?? 0, threshold }));
  }
}
