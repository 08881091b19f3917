import { expect } from "chai";
import { SortedNames } from "../../src/lib/sorted-names.ts";

/** Numbers from 0 to below 1, the same for each seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("sorted names", () => {
  it("are those of a sorted array, whatever is added and removed", () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const random = randomOf(seed);
      const names = new SortedNames();
      const truth = new Set<string>();
      // Few distinct parts, so that prefixes, repeats and removals meet.
      const part = (): string =>
        ["a", "b", "ab", "é", "\u{1f600}", "\uffff", ""][Math.floor(random() * 7)] ?? "";
      const nameOf = (): string => `${part()}:${part()}${Math.floor(random() * 2_000)}`;
      const phases = [0.9, 0.5, 0.05, 0.7, 0];
      for (const adding of phases) {
        for (let step = 0; step < 3_000; step += 1) {
          const name = random() < 0.5 ? nameOf() : ([...truth].at(Math.floor(random() * 8)) ?? nameOf());
          if (random() < adding) {
            expect(names.add(name)).to.equal(!truth.has(name));
            truth.add(name);
          } else {
            expect(names.delete(name)).to.equal(truth.delete(name));
          }
        }
        const sorted = [...truth].sort();
        expect(names.size).to.equal(sorted.length);
        for (const prefix of [
          "",
          "a",
          "a:",
          "ab:",
          "b:é",
          "é",
          "\u{1f600}:a",
          "\uffff",
          "none",
          sorted[5] ?? "",
        ]) {
          const wanted = sorted.filter((name) => name.startsWith(prefix));
          expect(names.count(prefix), prefix).to.equal(wanted.length);
          for (const after of [
            "",
            "a",
            prefix,
            "b",
            wanted[3] ?? "",
            wanted.at(-1) ?? "",
            "\uffff\uffff",
            nameOf(),
          ]) {
            for (const limit of [1, 7, 100_000]) {
              const page = wanted.filter((name) => name > after).slice(0, limit);
              expect(names.page({ prefix, after, limit }), `${prefix} after ${after}`).to.deep.equal(page);
            }
          }
        }
      }
    }
  });

  it("can be added in their order, backwards and all be removed", () => {
    const sorted = Array.from({ length: 5_000 }, (_, index) => `n:${String(index).padStart(5, "0")}`);
    for (const order of [sorted, sorted.toReversed()]) {
      const names = new SortedNames();
      for (const name of order) names.add(name);
      expect(names.page({ prefix: "n", after: "", limit: 10_000 })).to.deep.equal(sorted);
      for (const name of order) names.delete(name);
      expect(names.size).to.equal(0);
      expect(names.page({ prefix: "", after: "", limit: 1 })).to.deep.equal([]);
    }
  });
});
