import type { Context } from "mocha";

/**
 * Root hooks of every run. Alone, mocha lets a rejection that nobody handles pass in silence. Here the run
 * fails at its end and names the tests in which they surfaced; the other tests still get their turn.
 */
const unhandled = new Map<unknown, Error>();
let current = "the start of the run";

function remember(reason: unknown): void {
  unhandled.set(reason, new Error(`unhandled rejection during: ${current}`, { cause: reason }));
}

export const mochaHooks = {
  beforeAll(): void {
    process.on("unhandledRejection", remember);
  },
  beforeEach(this: Context): void {
    current = this.currentTest?.fullTitle() ?? "a hook";
  },
  afterAll(): void {
    sayWhatIsLeft();
    process.off("unhandledRejection", remember);
    const errors = [...unhandled.values()];
    for (const error of errors) console.error(error);
    if (errors[0]) throw errors[0];
  },
};

/** A run that does not end after its last test says what it waits for. The timer itself holds nothing up. */
function sayWhatIsLeft(): void {
  setTimeout(() => {
    console.error("the run does not end; still there:", process.getActiveResourcesInfo());
  }, 20_000).unref();
}
