import { Type } from "typebox";
import type { Child } from "../../bench/crowd/child.ts";
import { limitedChild } from "./limited-child.ts";

const Report = Type.Object({
  /** Deliveries, and the milliseconds from their publish. */
  count: Type.Number(),
  p50: Type.Number(),
  p99: Type.Number(),
  max: Type.Number(),
  /** Calls of an endpoint over HTTP. */
  calls: Type.Number(),
  callP50: Type.Number(),
  callP99: Type.Number(),
  failures: Type.Array(Type.String()),
  failureCount: Type.Number(),
});
export type HonestReport = Type.Static<typeof Report>;
const Kept = Type.Object({
  published: Type.Number(),
  acknowledged: Type.Number(),
  lastOffset: Type.Number(),
  /** Where members stand that have not heard everything. */
  deaf: Type.Array(Type.Number()),
  stays: Type.Number(),
  members: Type.Number(),
  /** The answer to the first id, sent again with another body. */
  repeated: Type.String(),
  /** Of the messages that the channel's history should have, those that are gone from its beginning. */
  missingFromHistory: Type.Number(),
});
export type Kept = Type.Static<typeof Kept>;

/** Who must not notice anything: see `honest-process.ts`. */
export class HonestClient {
  readonly #child: Child = limitedChild(new URL("honest-process.ts", import.meta.url), { niceness: -10 });

  async open(port: number, secret: string): Promise<void> {
    await this.#child.call(Type.Unknown(), "open", { port, secret, members: 10, everyMs: 20 });
  }

  /** Forget what was measured so far. */
  async reset(): Promise<void> {
    await this.#child.call(Type.Unknown(), "reset");
  }

  report(): Promise<HonestReport> {
    return this.#child.call(Report, "report");
  }

  finish(): Promise<Kept> {
    return this.#child.call(Kept, "finish");
  }

  async stop(): Promise<void> {
    await this.#child.call(Type.Unknown(), "close").catch(() => undefined);
    await this.#child.stop();
  }
}
