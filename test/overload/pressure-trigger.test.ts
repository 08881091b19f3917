import { expect } from "chai";
import fc from "fast-check";
import { PressureTrigger } from "../../src/overload/pressure-trigger.ts";

const OPTIONS = { thresholds: [80, 90, 95], enterAfter: 3, leaveAfter: 4, leaveShare: 0.9 } as const;

function stagesOf(values: readonly number[], options: Partial<typeof OPTIONS> = {}): number[] {
  const trigger = new PressureTrigger({ ...OPTIONS, ...options });
  return values.map((value) => trigger.update(value));
}

describe("the trigger of one resource", () => {
  const cases: { title: string; values: number[]; stages: number[] }[] = [
    { title: "stays at 0 below the first threshold", values: [79, 79, 79, 79], stages: [0, 0, 0, 0] },
    { title: "rises with the third reading in a row", values: [80, 80, 80], stages: [0, 0, 1] },
    {
      title: "does not rise for single late turns",
      values: [99, 99, 10, 99, 99, 10],
      stages: [0, 0, 0, 0, 0, 0],
    },
    { title: "rises to the lowest stage that all of the row reach", values: [99, 91, 82], stages: [0, 0, 1] },
    { title: "goes straight to the third", values: [99, 96, 95], stages: [0, 0, 3] },
    {
      title: "stays between the threshold and what is clearly below it",
      values: [85, 85, 85, 75, 75, 75, 75, 75],
      stages: [0, 0, 1, 1, 1, 1, 1, 1],
    },
    {
      title: "falls one stage at a time",
      values: [96, 96, 96, 1, 1, 1, 1, 1, 1, 1, 1],
      stages: [0, 0, 3, 3, 3, 3, 2, 2, 2, 2, 1],
    },
  ];
  for (const { title, values, stages } of cases) {
    it(title, () => expect(stagesOf(values)).to.deep.equal(stages));
  }

  it("rises only after enough readings in a row that reach the new stage, and falls only after enough below it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 80 }), (values) => {
        const stages = stagesOf(values);
        const floorOf = (stage: number): number => [0, 80, 90, 95][stage] ?? 0;
        stages.forEach((stage, index) => {
          const before = stages[index - 1] ?? 0;
          if (stage > before) {
            const row = values.slice(index - 2, index + 1);
            expect(row).to.have.length(3);
            for (const value of row) expect(value).to.be.at.least(floorOf(stage));
          }
          if (stage < before) {
            expect(stage).to.equal(before - 1);
            for (const value of values.slice(index - 3, index + 1))
              expect(value).to.be.below(floorOf(before) * 0.9);
          }
        });
      }),
    );
  });

  it("is at 0 again after any history once the pressure is gone", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 40 }), (values) => {
        expect(stagesOf([...values, ...Array<number>(12).fill(0)]).at(-1)).to.equal(0);
      }),
    );
  });
});
