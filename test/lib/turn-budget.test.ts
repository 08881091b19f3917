import { expect } from "chai";
import { TurnBudget } from "../../src/lib/turn-budget.ts";

/** Takes the processor for a while, as the work of a request does. */
function work(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the budget of a turn", () => {
  let budget: TurnBudget;
  beforeEach(() => {
    budget = new TurnBudget();
  });
  afterEach(() => budget.close());

  it("is spent by what a packet sets off behind its promises, and renewed with the next turn", async () => {
    expect(budget.isSpentFor("a")).to.equal(false);
    budget.begin("a");
    await Promise.resolve().then(() => work(20));
    await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
    expect(budget.isSpentFor("a")).to.equal(true);
    await nextTurn();
    await nextTurn();
    expect(budget.isSpentFor("another")).to.equal(false);
  });

  it("makes an owner whose work held a turn for long wait as long again, and nobody else", async () => {
    const order: string[] = [];
    budget.begin("heavy");
    work(40);
    await nextTurn();
    for (const owner of ["heavy", "light"]) budget.queue({ owner, advance: () => order.push(owner) });
    expect(budget.isSpentFor("heavy")).to.equal(true);
    while (order.length < 2) await nextTurn();
    expect(order).to.deep.equal(["light", "heavy"]);
  });

  it("does not count what others do meanwhile", async () => {
    budget.begin("a");
    const startedMs = performance.now();
    work(100);
    budget.exclude(performance.now() - startedMs);
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
    // One, had it counted.
    expect(budget.packets).to.be.above(1);
  });

  it("lets owners take turns, however many connections one of them has", async () => {
    const order: string[] = [];
    const turnOf = (owner: string) => ({
      owner,
      advance: () => {
        budget.begin(owner);
        order.push(owner);
        work(10);
      },
    });
    for (let i = 0; i < 50; i += 1) budget.queue(turnOf("crowd"));
    budget.queue(turnOf("one"));
    while (!order.includes("one")) await nextTurn();
    expect(order.filter((owner) => owner === "crowd").length).to.be.at.most(2);
  });

  it("hands on fewer packets of one connection the more they cost", async () => {
    const before = budget.packets;
    for (let i = 0; i < 8; i += 1) {
      budget.begin("a");
      work(10);
      await nextTurn();
      await nextTurn();
    }
    expect(before).to.equal(64);
    expect(budget.packets).to.equal(1);
  });

  it("makes work in many steps wait when its turn is over, and ends the wait when it is closed", async () => {
    budget.begin("a");
    expect(budget.untilTurn("a")).to.equal(undefined);
    work(20);
    const waited = budget.untilTurn("a");
    expect(waited).to.be.an.instanceOf(Promise);
    await waited;
    budget.begin("a");
    work(20);
    const last = budget.untilTurn("a");
    budget.close();
    await last;
  });
});
