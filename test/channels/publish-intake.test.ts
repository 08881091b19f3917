import { expect } from "chai";
import { MemoryBroker } from "../../src/channels/index.ts";
import { PublishIntake } from "../../src/channels/publish-intake.ts";
import { Traffic } from "../../src/observe/traffic.ts";

const SAY = { eventName: "say", message: 1, id: "m", from: null, timestamp: 1 };

/** A broker that answers a publish when it is let. */
class SlowBroker extends MemoryBroker {
  #answer: (() => void) | undefined;

  override async publish(...args: Parameters<MemoryBroker["publish"]>): ReturnType<MemoryBroker["publish"]> {
    await new Promise<void>((resolve) => {
      this.#answer = resolve;
    });
    return super.publish(...args);
  }

  answer(): void {
    this.#answer?.();
  }
}

describe("the publish intake of a node", () => {
  let broker: SlowBroker;
  let intake: PublishIntake;

  beforeEach(() => {
    broker = new SlowBroker();
    intake = new PublishIntake(broker, new Traffic());
  });
  afterEach(() => broker.close());

  it("takes nothing more once it is closed", async () => {
    await intake.close(1_000);
    expect(await intake.publish("a", SAY, { owner: "" })).to.equal("stopping");
    expect(await intake.broadcast(SAY, "everyone")).to.equal("stopping");
  });

  it("is closed when what it took before is published", async () => {
    const order: string[] = [];
    const published = intake.publish("a", SAY, { owner: "" }).then(() => order.push("published"));
    const closed = intake.close(10_000).then(() => order.push("closed"));
    broker.answer();
    await Promise.all([published, closed]);
    expect(order).to.deep.equal(["published", "closed"]);
  });

  it("does not wait for a broker that is away for longer than it may", async () => {
    const published = intake.publish("a", SAY, { owner: "" });
    await intake.close(10);
    broker.answer();
    expect(await published).to.include({ offset: 1 });
  });
});
