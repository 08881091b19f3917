import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const MAX_HISTORY_BYTES = 8 * 1024 * 1024;

/** The budget and what else a broker holds of so many messages, and what is not collected at once. */
const TOLERANCE = 1.25;

describe("memory of histories", () => {
  it("stays within the budget, whatever shape of messages fills it", async () => {
    const child = ["--expose-gc", "--import", "tsx", "test/channels/fill-history.ts", `${MAX_HISTORY_BYTES}`];
    const { stdout } = await run(process.execPath, child);
    const filled: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(stdout);
    expect(Object.keys(filled)).to.have.length.above(10);
    for (const [shape, { grownBytes, count }] of Object.entries(filled)) {
      expect(Number(count), shape).to.be.above(20);
      expect(Number(grownBytes) / MAX_HISTORY_BYTES, shape).to.be.within(0.1, TOLERANCE);
    }
  }).timeout(120_000);
});
