import { runStorm } from "../helpers/storm.ts";

const COUNT = Number(process.env["CONNECTIONS"] ?? 10_000);

describe(`${COUNT} who join one channel and go together`, () => {
  it("delay nobody, and are told to nobody one by one", async () => {
    const line = await runStorm({
      count: COUNT,
      polling: COUNT / 20,
      joinedWithinMs: Math.max(10_000, COUNT * 3),
      goneWithinMs: 90_000,
      latencyMs: 1_000,
      goneLatencyMs: 2_500,
      bytesPerMember: 100_000,
    });
    console.log(`      ${line}`);
  });
});
