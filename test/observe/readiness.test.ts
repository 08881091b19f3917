import { expect } from "chai";
import { Readiness } from "../../src/observe/readiness.ts";
import { StoreProbe } from "../../src/observe/store-probe.ts";

describe("the probe of the store", () => {
  it("writes once for all who ask at the same time, and not again for a while", async () => {
    let writes = 0;
    let nowMs = 0;
    const probe = new StoreProbe({
      write: async () => {
        writes += 1;
      },
      everyMs: 5_000,
      now: () => nowMs,
    });
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => probe.takesWrites()));
    expect(new Set(answers)).to.deep.equal(new Set([true]));
    nowMs = 4_999;
    await probe.takesWrites();
    expect(writes).to.equal(1);
    nowMs = 5_000;
    await probe.takesWrites();
    expect(writes).to.equal(2);
  });

  it("says no while the store fails, and yes once it takes writes again", async () => {
    let isAway = true;
    let nowMs = 0;
    const probe = new StoreProbe({
      write: () => (isAway ? Promise.reject(new Error("ENOSPC")) : Promise.resolve()),
      everyMs: 5_000,
      now: () => nowMs,
    });
    expect(await probe.takesWrites()).to.equal(false);
    isAway = false;
    nowMs = 5_000;
    expect(await probe.takesWrites()).to.equal(true);
  });

  it("says no for a store that throws at once", async () => {
    const probe = new StoreProbe({
      write: () => {
        throw new Error("closed");
      },
    });
    expect(await probe.takesWrites()).to.equal(false);
  });

  it("does not wait for a store that hangs, nor writes to it again before it answers", async () => {
    let writes = 0;
    let nowMs = 0;
    let finish = (): void => {};
    const probe = new StoreProbe({
      write: () => {
        writes += 1;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      everyMs: 5_000,
      timeoutMs: 20,
      now: () => nowMs,
    });
    expect(await probe.takesWrites()).to.equal(false);
    nowMs = 60_000;
    expect(await probe.takesWrites()).to.equal(false);
    expect(writes).to.equal(1);
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await probe.takesWrites()).to.equal(true);
    expect(writes).to.equal(1);
  });
});

describe("whether a node is ready", () => {
  it("depends on every check, and the view says which one fails", async () => {
    let problem: string | undefined;
    const readiness = new Readiness([{ name: "store", problem: async () => problem }]);
    expect(await readiness.isReady()).to.equal(true);
    problem = "the key store takes no writes";
    expect(await readiness.isReady()).to.equal(false);
    expect(await readiness.view()).to.deep.equal({
      ready: false,
      checks: [
        { name: "running", ready: true, problem: null },
        { name: "store", ready: false, problem },
      ],
    });
  });

  it("is no as soon as the server begins to close, without asking anything", async () => {
    let asked = 0;
    const readiness = new Readiness([
      {
        name: "store",
        problem: () => {
          asked += 1;
          return undefined;
        },
      },
    ]);
    readiness.beginClosing();
    expect(await readiness.isReady()).to.equal(false);
    expect(asked).to.equal(0);
  });
});
