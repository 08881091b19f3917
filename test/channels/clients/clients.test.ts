import { expect } from "chai";
import { attend, leaveOff, withdraw } from "../../../src/channels/clients/attendance.ts";
import { type Client, Clients } from "../../../src/channels/index.ts";
import { Lingering } from "../../../src/channels/presence/lingering.ts";

const ENDED = { mayStill: () => true, end: () => {} };

describe("clients that are gone", () => {
  let serial = 0;
  type Gone = { readonly token: string; readonly clientId: string };
  /** One that came, attended channels and went. */
  const passBy = (clients: Clients, group: string, channels: readonly string[] = [], keyId = "key"): Gone => {
    serial += 1;
    const id = `connection ${serial}`;
    const { client, token } = clients.connect(id, keyId, undefined);
    for (const channel of channels) attend(client, channel, { epoch: "e", offset: 1 });
    clients.disconnect(client, id, { ...ENDED, group });
    return { token, clientId: client.clientId };
  };
  const isKnown = (clients: Clients, { token, clientId }: Gone, keyId = "key"): boolean => {
    serial += 1;
    const id = `connection ${serial}`;
    const { client } = clients.connect(id, keyId, token);
    const isSame = client.clientId === clientId;
    clients.disconnect(client, id, { ...ENDED, group: "asked" });
    return isSame;
  };
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `room ${i}`);

  it("take no more together than they may, however many channels a flood of them has attended", () => {
    const maxAbsentBytes = 2_000_000;
    const clients = new Clients({ maxAbsentBytes });
    const modest = Array.from({ length: 20 }, (_, i) => passBy(clients, `home ${i}`, names(5)));
    for (let i = 0; i < 500; i += 1) {
      passBy(clients, "flood", names(i % 7 === 0 ? 2_000 : 50));
      expect(clients.absent.bytes).to.be.at.most(maxAbsentBytes);
    }
    expect(clients.absent.count).to.be.above(20);
    for (const one of modest) expect(isKnown(clients, one)).to.equal(true);
  });

  it("make room for a crowd of their own key and place, and not for one of another key", () => {
    const clients = new Clients({ maxAbsentBytes: 100_000 });
    const [first, other] = [passBy(clients, "crowd"), passBy(clients, "crowd", [], "other key")];
    for (let i = 0; i < 300; i += 1) passBy(clients, "crowd");
    expect(isKnown(clients, other, "other key")).to.equal(true);
    expect(isKnown(clients, first)).to.equal(false);
  });

  it("lose nothing to a crowd of another key, from however many places it comes", () => {
    const clients = new Clients({ maxAbsentBytes: 1_000_000 });
    const modest = Array.from({ length: 50 }, () => passBy(clients, "the office", names(20), "quiet"));
    for (let i = 0; i < 3_000; i += 1) passBy(clients, `place ${i}`, [], "loud");
    expect(clients.absent.bytes).to.be.at.most(1_000_000);
    for (const one of modest) expect(isKnown(clients, one, "quiet")).to.equal(true);
  });

  it("are forgotten when their time is over, although nobody comes or goes", async () => {
    const clients = new Clients({ resumeWindowMs: 30 });
    passBy(clients, "home");
    expect(clients.absent.count).to.equal(1);
    while (clients.absent.count > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    clients.close();
  });

  it("give way to those of many places evenly, the larger first", () => {
    const clients = new Clients({ maxAbsentBytes: 1_000_000 });
    const large = Array.from({ length: 10 }, () => passBy(clients, "large", names(100)));
    const small = Array.from({ length: 400 }, (_, i) => passBy(clients, `small ${i}`));
    const rest = Array.from({ length: 450 }, (_, i) => passBy(clients, `later ${i}`));
    expect(clients.absent.bytes).to.be.at.most(1_000_000);
    expect(large.filter((one) => isKnown(clients, one)).length).to.be.below(9);
    for (const one of [...small, ...rest]) expect(isKnown(clients, one)).to.equal(true);
  });

  it("let go of what is held for them when they are forgotten, once each", () => {
    let [held, nowMs] = [0, 0];
    const clients = new Clients({ maxAbsentBytes: 10_000, resumeWindowMs: 1_000, now: () => nowMs });
    const end = (): void => {
      held -= 1;
    };
    for (let i = 0; i < 50; i += 1) {
      held += 1;
      const { client } = clients.connect(`c${i}`, "key", undefined);
      clients.disconnect(client, `c${i}`, { mayStill: () => true, end, group: "one" });
    }
    expect(held).to.equal(clients.absent.count);
    expect(held).to.be.within(1, 10);
    nowMs = 1_001;
    clients.connect("later", "key", undefined);
    expect([held, clients.absent.count, clients.absent.bytes]).to.deep.equal([0, 0, 0]);
  });
});

describe("the tokens of clients", () => {
  it("are two at most for each client: the newest, and the last that was presented until the newest is", () => {
    const clients = new Clients();
    type Model = { clientId: string; newest: string; presented: string | undefined };
    const models: Model[] = [];
    const issued: string[] = [];
    let random = 7;
    const pick = (below: number): number => {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      return random % below;
    };
    for (let step = 0; step < 5_000; step += 1) {
      const token = pick(8) === 0 ? undefined : issued[pick(issued.length)];
      const model = models.find(
        ({ newest, presented }) => token !== undefined && (token === newest || token === presented),
      );
      const before = model === undefined ? undefined : `connection of ${model.clientId}`;
      const made = clients.connect("?", "key", token);
      expect(made.takenOver).to.equal(before);
      made.client.connectionId = `connection of ${made.client.clientId}`;
      if (model === undefined) {
        models.push({ clientId: made.client.clientId, newest: made.token, presented: undefined });
      } else {
        expect(made.client.clientId).to.equal(model.clientId);
        // Who presents the same again is told the same: a late answer makes no other one worthless.
        if (token === model.newest) expect(issued).to.not.include(made.token);
        else expect(made.token).to.equal(model.newest);
        model.presented = token;
        model.newest = made.token;
      }
      if (!issued.includes(made.token)) issued.push(made.token);
      expect(made.token.length).to.be.at.most(100);
    }
    expect(models.length).to.be.above(100);
    clients.close();
  });

  it("are another process's alone", () => {
    const { token, client } = new Clients().connect("a", "key", undefined);
    expect(new Clients().connect("b", "key", token).client.clientId).to.not.equal(client.clientId);
  });
});

describe("the channels of a client", () => {
  const clientOf = (): Client => new Clients().connect("a", null, undefined).client;
  const at = (offset: number) => ({ epoch: "e", offset });

  it("are forgotten beyond a number: first those that it has left", () => {
    const client = clientOf();
    attend(client, "stays", at(1));
    for (let i = 0; i < 5_000; i += 1) {
      attend(client, `passing ${i}`, at(1));
      leaveOff(client, `passing ${i}`);
    }
    expect(client.attendances.size).to.equal(2_000);
    expect(attend(client, "stays", at(9))).to.include({ from: 1, floor: 0 });
  });

  it("withhold nothing less because the one that was withheld is forgotten", () => {
    const client = clientOf();
    attend(client, "closed", at(1));
    withdraw(client, "closed");
    attend(client, "closed", at(9));
    leaveOff(client, "closed");
    for (let i = 0; i < 2_000; i += 1) attend(client, `room ${i}`, at(1));
    expect(client.attendances.get("closed")).to.equal(undefined);
    expect(attend(client, "closed", at(12))).to.include({ from: 12, floor: 12 });
  });
});

describe("what lingers of connections that were taken over", () => {
  it("takes no more than it may: the oldest are told to have left", () => {
    const left: string[] = [];
    const lingering = new Lingering((channel, { id }) => left.push(`${id} ${channel}`), 100_000);
    const clients = new Clients();
    for (let i = 0; i < 20; i += 1) {
      const { client } = clients.connect(`${i}`, null, undefined);
      const data = "x".repeat(8_000);
      lingering.add(client, ["a", "b"], { id: `${i}`, clientId: client.clientId, data }, "loud");
    }
    expect(left.slice(0, 4)).to.deep.equal(["0 a", "0 b", "1 a", "1 b"]);
    expect(left.length).to.be.within(28, 36);
    lingering.close();
  });

  it("makes room for itself: what lingers of another key stays", () => {
    const left: string[] = [];
    const lingering = new Lingering(
      (channel, { id }, owner) => left.push(`${owner} ${id} ${channel}`),
      50_000,
    );
    const clients = new Clients();
    for (let i = 0; i < 40; i += 1) {
      const owner = i === 0 ? "quiet" : "loud";
      const { client } = clients.connect(`${i}`, owner, undefined);
      const data = "x".repeat(2_000);
      lingering.add(client, ["a"], { id: `${i}`, clientId: client.clientId, data }, owner);
    }
    expect(left[0]).to.equal("loud 1 a");
    expect(left.some((one) => one.startsWith("quiet"))).to.equal(false);
    lingering.close();
  });

  it("counts a client once that is taken over again and again, so that it costs nobody else", () => {
    const left: string[] = [];
    const lingering = new Lingering((channel, { id }) => left.push(`${id} ${channel}`), 100_000);
    const clients = new Clients();
    const { client: modest } = clients.connect("modest", null, undefined);
    lingering.add(modest, ["a"], { id: "modest", clientId: modest.clientId, data: null }, "quiet");
    const { client } = clients.connect("0", null, undefined);
    for (let i = 0; i < 50; i += 1) {
      const data = "x".repeat(8_000);
      lingering.add(client, ["a", "b"], { id: `${i}`, clientId: client.clientId, data }, "loud");
    }
    expect(left).to.deep.equal([]);
    expect([...lingering.takeAll(client).values()].map(({ id }) => id)).to.deep.equal(["49", "49"]);
    for (let i = 0; i < 5; i += 1) {
      const { client: other } = clients.connect(`other ${i}`, null, undefined);
      const data = "x".repeat(8_000);
      lingering.add(other, ["a"], { id: `other ${i}`, clientId: other.clientId, data }, "other");
    }
    expect(left).to.deep.equal([]);
    lingering.close();
  });
});
