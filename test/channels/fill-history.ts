/**
 * Run in a process of its own by `history-memory.test.ts`: fills a broker's history with messages of one shape, as they come in over
 * the wire, and prints by how much the heap and the memory outside it have grown.
 */
import { MemoryBroker, parsePublication } from "../../src/channels/index.ts";

const [shape = "", maxHistoryBytes = ""] = process.argv.slice(2);

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

const broker = new MemoryBroker({ maxHistoryBytes: Number(maxHistoryBytes) });
const make = MESSAGES[shape];
if (make === undefined) throw new Error(`no shape "${shape}"`);

let sent = 0;
const sendOne = async (): Promise<void> => {
  const n = sent;
  const who = shape === "from many clients" ? n : 0;
  const ids = JSON.parse(`{"id":"connection-of-client-${who}","clientId":"client-of-128-bits-${who}"}`);
  const input = {
    eventName: JSON.parse('"say something"'),
    message: make(n),
    id: JSON.parse(`"message ${n}"`),
  };
  const parsed = parsePublication(input, { from: ids, now: Date.now(), exceptId: ids.id });
  if ("allowed" in parsed) throw new Error(parsed.message);
  await broker.publish(`channel ${n % 1_000}`, parsed.publication, { owner: "key" });
  sent += 1;
};

// Once round, so that what code and shapes take is there before, and then as much as makes it trim itself for a while.
for (let i = 0; i < 50; i += 1) await sendOne();
const before = usedBytes();
let heldBytes = 0;
while (broker.historyBytes > heldBytes) {
  heldBytes = broker.historyBytes;
  for (let i = 0; i < 50; i += 1) await sendOne();
  await new Promise((resolve) => setImmediate(resolve));
}
for (let i = 0; i < 500; i += 1) await sendOne();
await new Promise((resolve) => setImmediate(resolve));
const grownBytes = usedBytes() - before;
process.stdout.write(JSON.stringify({ grownBytes, count: sent, heldBytes: broker.historyBytes }));
await broker.close();
