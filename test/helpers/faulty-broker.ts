import { type Broker, MemoryBroker } from "../../src/channels/index.ts";

/** A broker whose messages get nowhere while it is away. */
export class FaultyBroker extends MemoryBroker {
  isAway = false;
  /** How many it still takes before it goes away. */
  goesAfter = Number.POSITIVE_INFINITY;

  override async publish(...args: Parameters<Broker["publish"]>): ReturnType<Broker["publish"]> {
    this.#assertThere();
    return super.publish(...args);
  }

  override async broadcast(...args: Parameters<Broker["broadcast"]>): Promise<void> {
    this.#assertThere();
    await super.broadcast(...args);
  }

  #assertThere(): void {
    this.isAway ||= this.goesAfter === 0;
    this.goesAfter -= 1;
    if (this.isAway) throw new Error("the broker is away");
  }
}
