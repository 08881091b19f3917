/**
 * Root hooks of every run. Without this, mocha lets a rejection that nobody handles pass in silence; thrown,
 * it becomes an uncaught exception, which fails the test in which it surfaced.
 */
function rethrow(reason: unknown): never {
  throw reason;
}

export const mochaHooks = {
  beforeAll(): void {
    process.on("unhandledRejection", rethrow);
  },
  afterAll(): void {
    process.off("unhandledRejection", rethrow);
  },
};
