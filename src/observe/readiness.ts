/** One thing that has to hold for new clients to be sent here. */
export type ReadinessCheck = {
  readonly name: string;
  /** Why not, for the operator; undefined when it holds. Resolves soon, never rejects. */
  readonly problem: () => string | undefined | Promise<string | undefined>;
};
export type ReadinessView = {
  readonly ready: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly problem: string | null;
  }[];
};

/** Whether a load balancer should send new clients to this node. */
export class Readiness {
  readonly #checks: ReadinessCheck[] = [];
  #isClosing = false;

  constructor(checks: readonly ReadinessCheck[] = []) {
    this.#checks.push({
      name: "running",
      problem: () => (this.#isClosing ? "the server is stopping" : undefined),
    });
    this.#checks.push(...checks);
  }

  add(check: ReadinessCheck): void {
    this.#checks.push(check);
  }

  /** From now on the answer is no. */
  beginClosing(): void {
    this.#isClosing = true;
  }

  async isReady(): Promise<boolean> {
    if (this.#isClosing) return false;
    return (await this.view()).ready;
  }

  async view(): Promise<ReadinessView> {
    const checks = await Promise.all(
      this.#checks.map(async ({ name, problem }) => {
        const found = await problem();
        return { name, ready: found === undefined, problem: found ?? null };
      }),
    );
    return { ready: checks.every(({ ready }) => ready), checks };
  }
}
