import { expect } from "chai";
import fc from "fast-check";
import { FairBudget } from "../../src/lib/fair-budget.ts";

describe("a fair budget", () => {
  it("agrees with a plain sum and a plain search after any charges and discharges", () => {
    const step = fc.tuple(fc.constantFrom("a", "b", "c", "d", "e", "f"), fc.integer({ min: -50, max: 50 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const budget = new FairBudget(100);
        const model = new Map<string, number>();
        for (const [name, amount] of steps) {
          if (amount >= 0) budget.charge(name, amount);
          else budget.discharge(name, -amount);
          const left = Math.max(0, (model.get(name) ?? 0) + amount);
          if (left === 0) model.delete(name);
          else model.set(name, left);
          const total = [...model.values()].reduce((sum, one) => sum + one, 0);
          expect(budget.total).to.equal(total);
          expect(budget.size).to.equal(model.size);
          expect(budget.isExceeded).to.equal(total > 100);
          expect(budget.largest?.amount ?? 0).to.equal(Math.max(0, ...model.values()));
          for (const [owner, held] of model) expect(budget.amountOf(owner)).to.equal(held);
        }
      }),
    );
  });

  it("an owner below its fair share is never the one that has to give way", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40 }), (amounts) => {
        const budget = new FairBudget(200);
        for (const [index, amount] of amounts.entries()) budget.charge(`key_${index}`, amount);
        while (budget.isExceeded) {
          const { largest } = budget;
          if (largest === undefined) throw new Error("an exceeded budget has nobody who holds most");
          expect(largest.amount).to.be.at.least(budget.fairShare);
          budget.discharge(largest.name, 1);
        }
      }),
    );
  });

  it("lets go of an owner that holds nothing, and of everybody when it is cleared", () => {
    const budget = new FairBudget(10);
    budget.charge("a", 5);
    budget.discharge("a", 7);
    expect(budget.size).to.equal(0);
    expect(budget.total).to.equal(0);
    budget.charge("a", 5);
    budget.clear();
    expect(budget.size + budget.total).to.equal(0);
    expect(budget.largest).to.equal(undefined);
  });
});
