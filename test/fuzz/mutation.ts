import type { Random } from "./random.ts";

/** What parsers tend to trip over, as text in latin1. */
const SPECKS: readonly [string, ...string[]] = [
  "\0",
  "\x1e",
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  "-",
  "/",
  ",",
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  "null",
  "true",
  "0",
  "-1",
  "1e999",
  "9007199254740993",
  "4294967296",
  "%00",
  "%2f",
  "..",
  "\xff",
  "\xc0\x80",
  "\xed\xa0\x80",
  "__proto__",
  "constructor",
  "toString",
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":99}',
  "451-",
  "4599999999-",
  "40",
  "41",
  "44",
  "2probe",
  "3probe",
  "5",
  "6",
  "b",
  "bAAAA",
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Host: a",
];

/** The same bytes with a few changes: bits, cuts, repeats, specks, pieces of another input. */
export function mutate(random: Random, input: Buffer, other: Buffer): Buffer {
  let bytes = input;
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes; i += 1) bytes = change(random, bytes, other);
  return bytes.subarray(0, 200_000);
}

function change(random: Random, bytes: Buffer, other: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random.below(7)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    case 1:
      return before;
    case 2:
      return Buffer.concat([before, after.subarray(random.below(after.length + 1))]);
    case 3: {
      const piece = bytes.subarray(at, at + 1 + random.below(32));
      const times = random.chance(0.05) ? 2_000 : 1 + random.below(8);
      return Buffer.concat([before, ...Array.from({ length: times }, () => piece), after]);
    }
    case 4: {
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.below(64)), after]);
    }
    default:
      return Buffer.concat([before, Buffer.from(random.pick(SPECKS), "latin1"), after]);
  }
}
