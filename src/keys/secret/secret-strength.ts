/** Bits below which an imported secret is refused: 64 take a rack of machines years to try, also with the stored digests at hand. */
export const MIN_SECRET_BITS = 64;

/**
 * How hard a secret is to guess at best, in bits: its characters times what each could say, by how many different ones there are.
 * A character that goes on with a run (`aaa`, `123`, `cba`) says nothing, nor does a part that is repeated as a whole (`abcabc`). A measure of the text alone: words of a dictionary count as if their letters were random.
 */
export function estimatedBits(secret: string): number {
  const characters = Array.from(secret);
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  const own = codes.slice(0, shortestPeriod(codes));
  let saying = 0;
  for (const [index, code] of own.entries()) {
    const step = code - (own[index - 1] ?? Number.NaN);
    const isRun = Math.abs(step) <= 1 && step === (own[index - 1] ?? 0) - (own[index - 2] ?? Number.NaN);
    if (!isRun) saying += 1;
  }
  return saying * Math.log2(new Set(own).size);
}

/** Why a secret of another server is not taken over; undefined when it may be. Does not show the secret. */
export function weaknessOf(secret: string): string | undefined {
  const bits = Math.floor(estimatedBits(secret));
  if (bits >= MIN_SECRET_BITS) return undefined;
  return `this secret can be guessed: about ${bits} bits where ${MIN_SECRET_BITS} are needed; make a longer, random one where it is used, or import it as it is with --allow-weak (allowWeak=true)`;
}

/** The length of the shortest beginning whose repetition is the whole; by the failure function of Knuth, Morris and Pratt. */
function shortestPeriod(codes: readonly number[]): number {
  const borders: number[] = [0];
  for (let index = 1, border = 0; index < codes.length; index += 1) {
    while (border > 0 && codes[index] !== codes[border]) border = borders[border - 1] ?? 0;
    if (codes[index] === codes[border]) border += 1;
    borders.push(border);
  }
  const period = codes.length - (borders.at(-1) ?? 0);
  return codes.length % period === 0 ? period : codes.length;
}
