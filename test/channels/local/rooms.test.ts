import { expect } from "chai";
import { attend, leaveOff } from "../../../src/channels/clients/attendance.ts";
import { Clients, MemoryBroker } from "../../../src/channels/index.ts";
import { createResident, type Resident } from "../../../src/channels/local/resident.ts";
import { Rooms } from "../../../src/channels/local/rooms.ts";

describe("local channels", () => {
  const members = new Map<string, Resident>();
  let broker: MemoryBroker;
  let rooms: Rooms;

  beforeEach(() => {
    members.clear();
    broker = new MemoryBroker({ maxIdleChannels: 5 });
    rooms = new Rooms({
      broker,
      budgets: { maxChannels: 4, maxMemberships: 100 },
      memberOf: (id) => members.get(id),
      onFault: (error) => {
        throw error;
      },
    });
  });
  afterEach(() => broker.close());

  const memberOf = (id: string, owner: string): Resident => {
    const { client } = new Clients().connect(id, owner, undefined);
    const member = members.get(id) ?? createResident(id, client, owner, `address of ${owner}`);
    members.set(id, member);
    return member;
  };
  const enter = (channel: string, member: Resident) => {
    member.channels.set(channel, { state: "joined", watching: false, liveAfter: 0 });
    return rooms.enter(channel, member);
  };
  const exit = (channel: string, member: Resident): boolean => {
    member.channels.delete(channel);
    return rooms.exit(channel, member);
  };

  it("count with a member, and with the next one when that leaves: nobody pays for a channel that others stay in", () => {
    const [a, b, c] = [memberOf("a", "quiet"), memberOf("b", "loud"), memberOf("c", "loud")];
    for (const channel of ["1", "2", "3", "4"]) {
      enter(channel, a);
      for (const member of [b, c]) enter(channel, member);
    }
    expect(rooms.admits("5", a)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) exit(channel, a);
    expect(rooms.admits("5", a)).to.equal(true);
    expect(rooms.admits("5", b)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) exit(channel, b);
    expect(rooms.admits("5", b)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) expect(exit(channel, c)).to.equal(true);
    expect(rooms.admits("5", b)).to.equal(true);
    expect([rooms.size, rooms.memberships]).to.deep.equal([0, 0]);
  });

  it("cost a newcomer to one that has members a membership alone", () => {
    const [a, b] = [memberOf("a", "loud"), memberOf("b", "other of loud's")];
    for (const channel of ["1", "2", "3", "4"]) enter(channel, a);
    expect(rooms.admits("1", memberOf("c", "loud"))).to.equal(true);
    for (let n = 0; n < 96; n += 1) enter("1", memberOf(`m${n}`, "loud"));
    expect(rooms.admits("1", memberOf("d", "loud"))).to.equal(false);
    expect(rooms.admits("1", b)).to.equal(true);
  });

  it("keep their epoch for every key that had members in them, whoever floods the broker afterwards", async () => {
    const first = enter("shared", memberOf("a", "loud"));
    await first.ready;
    enter("shared", memberOf("b", "quiet"));
    exit("shared", memberOf("b", "quiet"));
    exit("shared", memberOf("a", "loud"));
    for (let n = 0; n < 100; n += 1) await broker.history(`flood ${n}`, 0, 1, "loud");
    expect((await broker.history("shared", 0, 1, "quiet")).epoch).to.equal(first.epoch);
  });

  it("count what is remembered of channels that were left, and forget that before they refuse", () => {
    const member = memberOf("a", "loud");
    for (let n = 0; n < 100; n += 1) {
      enter("1", member);
      attend(member.client, `left ${n}`, { epoch: "e", offset: 1 });
      leaveOff(member.client, `left ${n}`);
      exit("1", member);
    }
    expect(rooms.places.total).to.equal(100);
    expect(rooms.admits("1", memberOf("b", "loud"))).to.equal(false);
    expect(rooms.admits("1", member)).to.equal(true);
    expect([rooms.places.total, member.client.attendances.size]).to.deep.equal([99, 99]);
    enter("1", member);
    rooms.places.release(member);
    expect(rooms.places.total).to.equal(0);
  });
});
