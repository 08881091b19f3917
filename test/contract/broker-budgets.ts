import { expect } from "chai";
import type { BrokerFixture } from "./broker.ts";

const KIBIBYTE = 1024;

/** What owners may take from each other of what a broker keeps: nothing that is below their fair share. */
export function describeBrokerBudgets(fixture: BrokerFixture): void {
  describe("budgets", () => {
    describeHistoryBudget(fixture);
    describeEpochBudget(fixture);
    describeIdBudget(fixture);
  });
}

/** One more of these than its owner's share is a flood. */
const LARGE = "x".repeat(8 * KIBIBYTE);

function describeHistoryBudget(fixture: BrokerFixture): void {
  describe("of history", () => {
    it("one owner's flood drops its own oldest messages and none of another", async () => {
      for (let n = 1; n <= 50; n += 1) await fixture.publish(`quiet ${n % 5}`, n, "quiet");
      for (let n = 1; n <= 400; n += 1) await fixture.publish(`loud ${n % 20}`, [n, LARGE], "loud");
      const kept = await Promise.all([0, 1, 2, 3, 4].map((n) => fixture.retained(`quiet ${n}`, "quiet")));
      expect(kept.flat()).to.have.length(50);
      const loud = await Promise.all(
        Array.from({ length: 20 }, (_, n) => fixture.retained(`loud ${n}`, "loud")),
      );
      expect(loud.flat().length).to.be.within(20, (1024 * KIBIBYTE) / LARGE.length);
      const numbers = loud.flat().map(([, message]) => (Array.isArray(message) ? message[0] : undefined));
      expect(Math.min(...numbers.map(Number))).to.equal(401 - numbers.length);
    });

    it("one owner's flood into a channel of another leaves holes where its own messages were", async () => {
      await fixture.publish("shared", "first", "quiet");
      for (let n = 2; n <= 300; n += 1) await fixture.publish("shared", [n, LARGE], "loud");
      await fixture.publish("shared", "last", "quiet");
      const kept = await fixture.retained("shared", "quiet");
      expect(kept[0]).to.deep.equal([1, "first"]);
      expect(kept.at(-1)).to.deep.equal([301, "last"]);
      const before = await fixture.broker.history("shared", 0, 1_000, "quiet");
      expect(before).to.include({ offset: 301, firstOffset: 1 });
      expect(before.messages).to.have.length(1);
      const after = await fixture.broker.history("shared", 1, 1_000, "quiet");
      expect(after.firstOffset).to.equal(kept[1]?.[0]).and.to.be.above(2);
    });

    it("owners below their fair shares lose nothing, however many there are and whoever floods", async () => {
      const owners = Array.from({ length: 20 }, (_, n) => `owner ${n}`);
      for (const owner of owners)
        for (let n = 0; n < 2; n += 1) await fixture.publish(owner, [n, LARGE], owner);
      for (let n = 0; n < 100; n += 1) {
        await fixture.publish(`flood ${n}`, [n, LARGE], "loud");
        await fixture.publish(`flood ${n}`, [n, LARGE], "another");
      }
      for (const owner of owners) expect(await fixture.retained(owner, owner)).to.have.length(2);
    });

    it("small messages are counted with what goes with them", async () => {
      for (let n = 0; n < 20_000; n += 1) await fixture.publish(`tiny ${n % 50}`, 1, "loud");
      const kept = await Promise.all(
        Array.from({ length: 50 }, (_, n) => fixture.retained(`tiny ${n}`, "loud")),
      );
      expect(kept.flat().length).to.be.within(100, (1024 * KIBIBYTE) / 100);
    });
  });
}

function describeEpochBudget(fixture: BrokerFixture): void {
  describe("of epochs", () => {
    it("one owner's flood of channels costs no other the epoch that it was told", async () => {
      const published = await fixture.publish("none", 1, "quiet");
      const subscribed = await fixture.broker.subscribe("joined", "quiet");
      await fixture.broker.unsubscribe("joined");
      const { epoch: read } = await fixture.broker.history("read", 0, 1, "quiet");
      const first = await fixture.publish("loud", 1, "loud");
      for (let n = 0; n < 500; n += 1) {
        await fixture.publish(`flood ${n}`, 1, "loud");
        await fixture.broker.history(`asked ${n}`, 0, 1, "loud");
        await fixture.broker.subscribe(`passed ${n}`, "loud");
        await fixture.broker.unsubscribe(`passed ${n}`);
      }
      expect(await fixture.publish("none", 2, "quiet")).to.deep.equal({ epoch: published.epoch, offset: 2 });
      expect(await fixture.broker.subscribe("joined", "quiet")).to.deep.equal(subscribed);
      expect((await fixture.broker.history("read", 0, 1, "quiet")).epoch).to.equal(read);
      expect((await fixture.publish("loud", 1, "loud")).epoch).to.not.equal(first.epoch);
    });

    it("a channel that the one who floods began, and published to last, stays for the other who uses it", async () => {
      await fixture.publish("shared", "squatted", "loud");
      const told = await fixture.publish("shared", "used", "quiet");
      await fixture.publish("shared", "and again", "loud");
      for (let n = 0; n < 500; n += 1) await fixture.publish(`flood ${n}`, 1, "loud");
      expect(await fixture.publish("shared", "later", "quiet")).to.deep.equal({
        epoch: told.epoch,
        offset: 4,
      });
      expect((await fixture.retained("shared", "quiet")).map(([, message]) => message)).to.deep.equal([
        "squatted",
        "used",
        "and again",
        "later",
      ]);
    });

    it("channels that are listened to are kept whatever the budget says", async () => {
      const { epoch } = await fixture.broker.subscribe("live", "loud");
      for (let n = 0; n < 500; n += 1) await fixture.publish(`flood ${n}`, 1, "loud");
      expect(await fixture.publish("live", 1, "loud")).to.deep.equal({ epoch, offset: 1 });
    });
  });
}

function describeIdBudget(fixture: BrokerFixture): void {
  describe("of message ids", () => {
    it("one owner's flood of ids costs no other one of its own", async () => {
      const sent = await Promise.all(
        [1, 2, 3].map((n) => fixture.send("a", n, `id ${n}`, "quiet scope", "quiet")),
      );
      const first = await fixture.send("b", 1, "id", "loud scope", "loud");
      for (let n = 0; n < 500; n += 1) await fixture.send(`b`, n, `flood ${n}`, `loud ${n}`, "loud");
      for (const [index, position] of sent.entries()) {
        const again = await fixture.send("a", index + 1, `id ${index + 1}`, "quiet scope", "quiet");
        expect(again).to.deep.equal(position);
      }
      expect(await fixture.send("b", 1, "id", "loud scope", "loud")).to.not.deep.equal(first);
    });
  });
}
