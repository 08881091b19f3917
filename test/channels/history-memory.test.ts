import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const MAX_HISTORY_BYTES = 24 * 1024 * 1024;

/** The budget and what else a broker holds of so many messages, and what is not collected at once. */
const TOLERANCE = 1.25;

describe("memory of histories", () => {
  for (const shape of [
    "one byte of a 64 KiB chunk",
    "tiny",
    "from many clients",
    "long strings",
    "two-byte strings",
    "short strings",
    "numbers",
    "many small objects",
    "arrays of arrays",
    "deep arrays",
    "deep objects that have no shape in common",
    "objects of many members",
    "text cut out of a packet",
  ]) {
    it(`stays within its budget when it is filled with: ${shape}`, async () => {
      const { stdout } = await run(process.execPath, [
        "--expose-gc",
        "--import",
        "tsx",
        "test/channels/fill-history.ts",
        shape,
        String(MAX_HISTORY_BYTES),
      ]);
      const { grownBytes, count }: { grownBytes?: unknown; count?: unknown } = JSON.parse(stdout);
      expect(Number(count), "messages").to.be.above(20);
      expect(Number(grownBytes) / MAX_HISTORY_BYTES).to.be.within(0.02, TOLERANCE);
    }).timeout(120_000);
  }
});
