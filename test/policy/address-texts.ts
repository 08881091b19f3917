import fc from "fast-check";

// Texts of addresses in every spelling, and near misses of them.

const octet = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0, 1, 9, 10, 99, 100, 127, 128, 254, 255),
);
export const ipv4Text = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));

const group = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 0, 1, 0xffff, 0x102, 0x2001, 0xdb8) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const style = fc.record({
  pad: fc.boolean(),
  upper: fc.boolean(),
  embedded: fc.boolean(),
  gapStart: fc.nat(7),
  gap: fc.boolean(),
});
type Style = { pad: boolean; upper: boolean; embedded: boolean; gapStart: number; gap: boolean };

function spell(values: readonly number[], { pad, upper, embedded, gapStart, gap }: Style): string {
  const parts = values.map((value) => value.toString(16).padStart(pad ? 4 : 1, "0"));
  if (embedded) {
    const [high = 0, low = 0] = values.slice(6);
    parts.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  let text = parts.join(":");
  let end = gapStart;
  while (end < (embedded ? 6 : 8) && values[end] === 0) end += 1;
  if (gap && end > gapStart) {
    text = `${parts.slice(0, gapStart).join(":")}::${parts.slice(end).join(":")}`;
  }
  return upper ? text.toUpperCase() : text;
}

export const ipv6Text = fc.tuple(groups, style).map(([values, how]) => spell(values, how));
export const mappedText = fc
  .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xffff }), style)
  .map(([high, low, how]) => spell([0, 0, 0, 0, 0, 0xffff, high, low], how));

/** One to three characters put in, taken out or replaced. */
function damage(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const character = fc.constantFrom(..."0123456789abcdefABCDEFgx:./%-[]\u0661\uff11");
  const edit = fc.record({ at: fc.nat(50), kind: fc.constantFrom("put", "take", "replace"), character });
  return fc.tuple(text, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([start, edits]) => {
    let result = start;
    for (const { at, kind, character: given } of edits) {
      const place = at % (result.length + 1);
      const after = kind === "put" ? place : place + 1;
      result = result.slice(0, place) + (kind === "take" ? "" : given) + result.slice(after);
    }
    return result;
  });
}

export const addressText = fc.oneof(
  { weight: 2, arbitrary: ipv4Text },
  { weight: 3, arbitrary: ipv6Text },
  { weight: 2, arbitrary: mappedText },
);
export const anyAddressText = fc.oneof(addressText, damage(addressText));

/** An address or range, its prefix often at a boundary. */
export const networkText = fc.oneof(
  addressText,
  fc
    .tuple(
      addressText,
      fc.oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 88, max: 128 }), fc.nat(130)),
    )
    .map(([text, prefix]) => `${text}/${prefix}`),
);
export const anyNetworkText = fc.oneof({ weight: 4, arbitrary: networkText }, damage(networkText));
