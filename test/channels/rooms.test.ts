import { expect } from "chai";
import { MemoryBroker } from "../../src/channels/index.ts";
import { type RoomMember, Rooms } from "../../src/channels/rooms.ts";

describe("local channels", () => {
  const members = new Map<string, RoomMember>();
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

  const memberOf = (id: string, owner: string): RoomMember => {
    const member = members.get(id) ?? { id, owner, addressGroup: `address of ${owner}` };
    members.set(id, member);
    return member;
  };

  it("count with a member, and with the next one when that leaves: nobody pays for a channel that others stay in", () => {
    const [a, b, c] = [memberOf("a", "quiet"), memberOf("b", "loud"), memberOf("c", "loud")];
    for (const channel of ["1", "2", "3", "4"]) {
      rooms.enter(channel, a);
      for (const member of [b, c]) rooms.enter(channel, member);
    }
    expect(rooms.admits("5", a)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) rooms.exit(channel, a);
    expect(rooms.admits("5", a)).to.equal(true);
    expect(rooms.admits("5", b)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) rooms.exit(channel, b);
    expect(rooms.admits("5", b)).to.equal(false);
    for (const channel of ["1", "2", "3", "4"]) expect(rooms.exit(channel, c)).to.equal(true);
    expect(rooms.admits("5", b)).to.equal(true);
    expect([rooms.size, rooms.memberships]).to.deep.equal([0, 0]);
  });

  it("cost a newcomer to one that has members a membership alone", () => {
    const [a, b] = [memberOf("a", "loud"), memberOf("b", "other of loud's")];
    for (const channel of ["1", "2", "3", "4"]) rooms.enter(channel, a);
    expect(rooms.admits("1", memberOf("c", "loud"))).to.equal(true);
    for (let n = 0; n < 96; n += 1) rooms.enter("1", memberOf(`m${n}`, "loud"));
    expect(rooms.admits("1", memberOf("d", "loud"))).to.equal(false);
    expect(rooms.admits("1", b)).to.equal(true);
  });

  it("keep their epoch for every key that had members in them, whoever floods the broker afterwards", async () => {
    const first = rooms.enter("shared", memberOf("a", "loud"));
    await first.ready;
    rooms.enter("shared", memberOf("b", "quiet"));
    rooms.exit("shared", memberOf("b", "quiet"));
    rooms.exit("shared", memberOf("a", "loud"));
    for (let n = 0; n < 100; n += 1) await broker.history(`flood ${n}`, 0, 1, "loud");
    expect((await broker.history("shared", 0, 1, "quiet")).epoch).to.equal(first.epoch);
  });
});
