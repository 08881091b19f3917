import { runStorm } from "../helpers/storm.ts";

describe("a thousand who join one channel and go together", () => {
  it("delay nobody, and are told to nobody one by one", async () => {
    await runStorm({
      count: 1_000,
      polling: 0,
      joinedWithinMs: 20_000,
      goneWithinMs: 20_000,
      latencyMs: 2_000,
      goneLatencyMs: 2_000,
      bytesPerMember: 200_000,
    });
  }).timeout(60_000);
});
