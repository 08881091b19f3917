import { setTimeout as delay } from "node:timers/promises";
import type { HttpDoor } from "./door.ts";
import type { Ledger } from "./ledger.ts";
import { VerifiedClient, type VerifiedOptions } from "./verified-client.ts";

/** What the actors of a soak share. */
export type Scene = {
  readonly url: string;
  readonly apiKey: string;
  /** Each has one publisher, and steady members. */
  readonly channels: readonly string[];
  /** The channel of the load client, of thousands of messages a second. */
  readonly loudChannel: string;
  readonly http: HttpDoor;
  readonly ledger: Ledger;
  readonly random: () => number;
  readonly stopping: AbortSignal;
};

/** Numbers between 0 and 1 that a seed repeats. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Wait between the two; returns early when the soak stops. */
export async function pause({ random, stopping }: Scene, fromMs: number, untilMs: number): Promise<void> {
  await delay(fromMs + random() * (untilMs - fromMs), undefined, { signal: stopping }).catch(() => {});
}

/** Repeat until the soak stops; what a round throws is a fault, and the next round begins after a second. */
export async function repeat(scene: Scene, name: string, round: () => Promise<void>): Promise<void> {
  while (!scene.stopping.aborted) {
    try {
      await round();
    } catch (error) {
      scene.ledger.fault(`${name} failed`, error);
      await pause(scene, 1_000, 1_000);
    }
  }
}

/** A client of the scene's key: one in five polls. */
export function newClient(scene: Scene, options: Partial<VerifiedOptions> = {}): VerifiedClient {
  const transport = scene.random() < 0.2 ? "polling" : "websocket";
  const { url, ledger, apiKey } = scene;
  return new VerifiedClient({ url, ledger, transport, apiKey, ...options });
}

export function pick<T>(scene: Scene, values: readonly T[]): T {
  const value = values[Math.floor(scene.random() * values.length)];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
}
