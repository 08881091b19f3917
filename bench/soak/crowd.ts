import { type Static, Type } from "typebox";
import { Child } from "../crowd/child.ts";

export const Begin = Type.Object({
  url: Type.String(),
  adminUrl: Type.String(),
  apiKey: Type.String(),
  seed: Type.Number(),
  channels: Type.Array(Type.String()),
  loudChannel: Type.String(),
  steadyMembers: Type.Number(),
  churners: Type.Number(),
  slowReaders: Type.Number(),
  /** Within what time a reader that stopped reading is cut off. */
  stallMs: Type.Number(),
});
const Report = Type.Object({
  counts: Type.Record(Type.String(), Type.Number()),
  faults: Type.Record(
    Type.String(),
    Type.Object({ count: Type.Number(), examples: Type.Array(Type.String()) }),
  ),
  latenciesMs: Type.Array(Type.Number()),
});
export type Report = Static<typeof Report>;

/** The verifying clients of a soak, in a process of their own. */
export class SoakCrowd {
  readonly child = new Child(new URL("./crowd-process.ts", import.meta.url).href);

  begin(options: Static<typeof Begin>): Promise<unknown> {
    return this.child.call(Type.Optional(Type.Unknown()), "begin", options);
  }

  /** What has been counted and gone wrong so far; the latencies since the call before. */
  report(): Promise<Report> {
    return this.child.call(Report, "report");
  }

  /** Everyone goes. */
  end(): Promise<Report> {
    return this.child.call(Report, "end");
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
