import { Child } from "../../bench/crowd/child.ts";

export type ProcessLimits = {
  /** Of the V8 heap; absent: Node's default. */
  readonly heapMb?: number | undefined;
  readonly openFiles?: number | undefined;
  /** -20 to 19: who attacks must not take the processor from who measures. */
  readonly niceness?: number | undefined;
};

/** A server that is flooded logs by the megabyte. `SHOW_LOGS=1` shows it. */
const isSilent = process.env["SHOW_LOGS"] === undefined;
const NODE = new URL("limited-node.sh", import.meta.url).pathname;

/** A process with limits of its own, asked over the channel between parent and child. */
export function limitedChild(file: URL, { heapMb, openFiles, niceness = 0 }: ProcessLimits): Child {
  return new Child(file.href, [], {
    execPath: NODE,
    isSilent,
    execArgv: heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`],
    env: {
      NICE: String(niceness),
      ...(openFiles === undefined ? {} : { LIMIT_FILES: String(openFiles) }),
    },
  });
}
