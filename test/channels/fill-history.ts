/**
 * Run in a process of its own by `history-memory.test.ts`: fills a broker's history with messages of one shape after the other, as
 * they come in over the wire, and prints by how much the heap and the memory outside it have grown with each.
 */
import { MemoryBroker, parsePublication } from "../../src/channels/index.ts";

const maxHistoryBytes = Number(process.argv[2]);

const repeat = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(",");

/** What is decoded of a packet. */
const MESSAGES: Readonly<Record<string, (n: number) => unknown>> = {
  "one byte of a 64 KiB chunk": () => Buffer.alloc(64 * 1024).subarray(100, 101),
  tiny: () => 1,
  "from many clients": (n) => n,
  "long strings": (n) => JSON.parse(`"${n}${"x".repeat(100_000)}"`),
  "two-byte strings": (n) => JSON.parse(`"${n}${"€".repeat(1_000)}"`),
  "short strings": (n) => JSON.parse(`[${repeat(200, (i) => `"${n}.${i}"`)}]`),
  numbers: (n) => JSON.parse(`[null,${repeat(500, (i) => `${n}.${i}5`)}]`),
  "many small objects": () => JSON.parse(`[${repeat(200, (i) => `{"a":${i},"b":[]},{}`)}]`),
  "arrays of arrays": () => JSON.parse(`[${repeat(2_000, () => "[]")}]`),
  "deep arrays": () => JSON.parse(`${"[".repeat(90)}${"]".repeat(90)}`),
  "deep objects that have no shape in common": (n) =>
    JSON.parse(`${Array.from({ length: 90 }, (_, i) => `{"k${n}.${i}":`).join("")}1${"}".repeat(90)}`),
  "objects of many members": (n) => JSON.parse(`{${repeat(100, (i) => `"member${n}.${i}":${i}`)}}`),
  "text cut out of a packet": (n) =>
    JSON.parse(`["${n} and a text of some length","${"y".repeat(500_000)}"]`)[0],
};

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  for (let i = 0; i < 4; i += 1) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

type Filled = { readonly grownBytes: number; readonly count: number };

async function fill(shape: string, make: (n: number) => unknown): Promise<Filled> {
  const broker = new MemoryBroker({ maxHistoryBytes });
  let count = 0;
  const send = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      const who = shape === "from many clients" ? count : 0;
      const from = JSON.parse(`{"id":"connection-of-client-${who}","clientId":"client-of-128-bits-${who}"}`);
      const input = {
        eventName: JSON.parse('"say something"'),
        message: make(count),
        id: JSON.parse(`"m ${count}"`),
      };
      const parsed = parsePublication(input, { from, now: Date.now(), exceptId: from.id });
      if ("allowed" in parsed) throw new Error(parsed.message);
      await broker.publish(`channel ${count % 1_000}`, parsed.publication, { owner: "key" });
      count += 1;
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  // First a few, so that what code and shapes take is there before, and then until it has to let go for a while.
  await send(5);
  const before = usedBytes();
  for (let heldBytes = 0; broker.historyBytes > heldBytes; ) {
    heldBytes = broker.historyBytes;
    await send(50);
  }
  await send(500);
  const grownBytes = usedBytes() - before;
  await broker.close();
  return { grownBytes, count };
}

const filled: Record<string, Filled> = {};
for (const [shape, make] of Object.entries(MESSAGES)) filled[shape] = await fill(shape, make);
process.stdout.write(JSON.stringify(filled));
