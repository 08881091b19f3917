import type { Context } from "mocha";

/**
 * Root hooks of every run; with files side by side, of every file. Alone, mocha lets a rejection that nobody handles pass in
 * silence, and ends its workers whatever they still wait for. Here the file fails at its end and names the tests in which a
 * rejection surfaced, or what is left of it; the other tests still get their turn.
 */
const unhandled = new Map<unknown, Error>();
let current = "the start of the run";
/** What a worker holds before its first file; undefined in a run of one process, which has to end by itself. */
let ownResources: readonly string[] | undefined;

const LEFT_OVER_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 20;

function remember(reason: unknown): void {
  unhandled.set(reason, new Error(`unhandled rejection during: ${current}`, { cause: reason }));
}

export const mochaHooks = {
  beforeAll(): void {
    process.on("unhandledRejection", remember);
    if (process.env["MOCHA_WORKER_ID"] !== undefined) ownResources ??= process.getActiveResourcesInfo();
  },
  beforeEach(this: Context): void {
    current = this.currentTest?.fullTitle() ?? "a hook";
  },
  async afterAll(this: Context): Promise<void> {
    this.timeout(2 * LEFT_OVER_WITHIN_MS);
    const left = ownResources === undefined ? sayWhatIsLeft() : await leftOver(ownResources);
    process.off("unhandledRejection", remember);
    const errors = [...unhandled.values()];
    unhandled.clear();
    for (const error of errors) console.error(error);
    if (errors[0]) throw errors[0];
    // The next file of this worker is not blamed for it.
    if (left.length > 0) ownResources = process.getActiveResourcesInfo();
    if (left.length > 0)
      throw new Error(`the file leaves behind what keeps a process alive: ${left.join(", ")}`);
  },
};

/** A run that does not end after its last test says what it waits for. The timer itself holds nothing up. */
function sayWhatIsLeft(): readonly string[] {
  setTimeout(() => {
    console.error("the run does not end; still there:", process.getActiveResourcesInfo());
  }, 20_000).unref();
  return [];
}

/** What a file leaves behind beyond `own`, once it had time to end. */
async function leftOver(own: readonly string[]): Promise<readonly string[]> {
  const untilMs = performance.now() + LEFT_OVER_WITHIN_MS;
  let left = without(process.getActiveResourcesInfo(), own);
  while (left.length > 0 && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
    // As soon as the hook is asynchronous, mocha has a timer for it.
    left = without(process.getActiveResourcesInfo(), [...own, "Timeout"]);
  }
  return left;
}

/** `names` less one for each of `taken`. */
function without(names: readonly string[], taken: readonly string[]): readonly string[] {
  const left = [...names];
  for (const name of taken) {
    const index = left.indexOf(name);
    if (index >= 0) left.splice(index, 1);
  }
  return left;
}
