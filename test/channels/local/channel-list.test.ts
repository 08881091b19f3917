import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Clients, MemoryBroker } from "../../../src/channels/index.ts";
import { createResident } from "../../../src/channels/local/resident.ts";
import { Rooms, UNLIMITED } from "../../../src/channels/local/rooms.ts";

const MANY = 20_000;
const nameOf = (index: number): string => `n:${String(index).padStart(5, "0")}`;

describe("a list of channels", () => {
  const broker = new MemoryBroker();
  const member = createResident("m", new Clients().connect("m", "key_a", undefined).client, "key_a");
  const rooms = new Rooms({
    broker,
    budgets: UNLIMITED,
    memberOf: () => member,
    onFault: (error) => {
      throw error;
    },
  });
  before(() => {
    for (let index = MANY - 1; index >= 0; index -= 1) rooms.enter(nameOf(index), member);
    rooms.enter("other", member);
  });
  after(() => broker.close());

  const list = async (request: Partial<Parameters<Rooms["list"]>[0]>) => {
    const answer = await rooms.list({
      prefix: "",
      after: "",
      limit: 1_000,
      owner: "key_a",
      isWanted: () => true,
      ...request,
    });
    if (answer === "busy") throw new Error("it is busy");
    return answer;
  };

  it("pages through the wanted ones by name, and its cursor is the name of one of them", async () => {
    const seen: string[] = [];
    const isWanted = (channel: string): boolean => channel.endsWith("7");
    for (let after: string | null = ""; after !== null; ) {
      const { items, next } = await list({ prefix: "n:", limit: 300, after, isWanted });
      seen.push(...items.map(({ channel }) => channel));
      if (next !== null) expect(next).to.equal(items.at(-1)?.channel);
      after = next;
    }
    expect(seen).to.deep.equal(Array.from({ length: MANY / 10 }, (_, index) => nameOf(index * 10 + 7)));
    expect(await list({ prefix: "o" })).to.deep.equal({
      items: [{ channel: "other", members: 1 }],
      next: null,
    });
  });

  it("lets others have their turn while it looks at names that the key may not see", async () => {
    let turns = 0;
    let isDone = false;
    const count = async (): Promise<void> => {
      while (!isDone) {
        turns += 1;
        await nextTurn();
      }
    };
    const counting = count();
    const refuse = (): boolean => {
      const untilMs = performance.now() + 0.002;
      while (performance.now() < untilMs);
      return false;
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => list({ isWanted: refuse })));
    isDone = true;
    await counting;
    expect(answers).to.deep.equal(answers.map(() => ({ items: [], next: null })));
    expect(turns).to.be.at.least(20);
  });

  it("is refused to an owner who asks for too many at a time, and to nobody else", async () => {
    const ask = (owner: string) =>
      rooms.list({ prefix: "", after: "", limit: 10, owner, isWanted: () => false });
    const asked = Array.from({ length: 200 }, () => ask("key_a"));
    const other = ask("key_b");
    expect((await Promise.all(asked)).filter((answer) => answer === "busy").length).to.be.at.least(100);
    expect(await other).to.deep.equal({ items: [], next: null });
  });

  it("has for operators a page and the number of all with the prefix", () => {
    const page = rooms.page({ prefix: "n:", after: nameOf(9), limit: 2, nowMs: 0 });
    expect(page.items.map(({ name }) => name)).to.deep.equal([nameOf(10), nameOf(11)]);
    expect(page).to.include({ next: nameOf(11), total: MANY });
    rooms.exit(nameOf(11), member);
    expect(rooms.page({ prefix: "n:", after: nameOf(10), limit: 1, nowMs: 0 })).to.deep.include({
      total: MANY - 1,
      next: nameOf(12),
    });
    rooms.enter(nameOf(11), member);
  });
});
