import { expect } from "chai";
import { Turns } from "../../../src/realtime/flow/turns.ts";

describe("turns", () => {
  const deferred = () => {
    let finish: (() => void) | undefined;
    const promise = new Promise<void>((resolve) => {
      finish = resolve;
    });
    return { promise, finish: () => finish?.() };
  };

  it("lets what comes after a change wait for it, and independent requests overlap", async () => {
    const turns = new Turns();
    const log: string[] = [];
    const [first, second, third] = [deferred(), deferred(), deferred()];
    const done = Promise.all([
      turns.run(async () => {
        log.push("publish 1 begins");
        await first.promise;
        log.push("publish 1 ends");
      }),
      turns.run(async () => void log.push("publish 2")),
      turns.change(async () => {
        log.push("join begins");
        await second.promise;
        log.push("join ends");
      }),
      turns.run(async () => void log.push("publish 3")),
      turns.change(async () => {
        log.push("leave begins");
        await third.promise;
        log.push("leave ends");
      }),
      turns.run(async () => void log.push("publish 4")),
    ]);
    second.finish();
    third.finish();
    first.finish();
    await done;
    expect(log.filter((line) => !line.startsWith("publish 1"))).to.deep.equal([
      "publish 2",
      "join begins",
      "join ends",
      "publish 3",
      "leave begins",
      "leave ends",
      "publish 4",
    ]);
    expect(turns.open).to.equal(0);
  });

  it("goes on after a change that failed", async () => {
    const turns = new Turns();
    const failed = turns.change(() => Promise.reject(new Error("away")));
    const after = turns.run(async () => "goes on");
    expect(await failed.catch((error: Error) => error.message)).to.equal("away");
    expect(await after).to.equal("goes on");
    expect(turns.open).to.equal(0);
  });
});
