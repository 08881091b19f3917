import type { Traffic } from "../observe/traffic.ts";
import type { BroadcastAudience } from "../protocol/index.ts";
import type { Broker, Publication, Published, PublishOptions } from "./broker/broker.ts";

/** `stopping`: the node takes nothing more. */
export type PublishResult = Published | "stopping";
export type BroadcastResult = "sent" | "stopping";

const STOPPING: Promise<"stopping"> = Promise.resolve("stopping");

/**
 * The way of every message from this node to the broker. Counts those under way, and takes no more once the node stops: what is
 * acknowledged then would reach nobody here.
 */
export class PublishIntake {
  readonly #broker: Broker;
  readonly #traffic: Traffic;
  #isClosed = false;
  #underWay = 0;
  #onSettled: (() => void) | undefined;

  constructor(broker: Broker, traffic: Traffic) {
    this.#broker = broker;
    this.#traffic = traffic;
  }

  /** See {@link Broker.publish}. */
  publish(channel: string, publication: Publication, options: PublishOptions): Promise<PublishResult> {
    if (this.#isClosed) return STOPPING;
    const published = this.#broker.publish(channel, publication, options);
    this.#track(published);
    return published;
  }

  broadcast(publication: Publication, audience: BroadcastAudience): Promise<BroadcastResult> {
    if (this.#isClosed) return STOPPING;
    const sent = this.#broker.broadcast(publication, audience).then(() => "sent" as const);
    this.#track(sent);
    return sent;
  }

  /** From now on nothing is published. Resolves when what was taken before is, or after `graceMs`: a broker may be away. */
  close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onSettled = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #track(published: Promise<unknown>): void {
    this.#traffic.published += 1;
    this.#underWay += 1;
    published.then(this.#settled, this.#settled);
  }

  readonly #settled = (): void => {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onSettled?.();
  };
}
