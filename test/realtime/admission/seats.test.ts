import { expect } from "chai";
import fc from "fast-check";
import { type Seat, type SeatLimits, Seats } from "../../../src/realtime/admission/seats.ts";

const NONE: SeatLimits = { maxConnections: 0, maxConnectionsPerAddress: 0, maxConnectionsPerKey: 0 };

function seated(answer: ReturnType<Seats["take"]>): Seat {
  if ("allowed" in answer) throw new Error(answer.code);
  return answer;
}

describe("seats", () => {
  it("are without end where nothing is set", () => {
    const seats = new Seats(NONE);
    for (let i = 0; i < 1_000; i += 1) seated(seats.take("a", "k"));
    expect(seats.count).to.equal(1_000);
  });

  it("run out in all, by address and by key, each with its code, and a time to come again", () => {
    const refused = (limits: Partial<SeatLimits>, group: string, keyId: string | null): unknown => {
      const seats = new Seats({ ...NONE, ...limits });
      seated(seats.take("a", "k"));
      return seats.take(group, keyId);
    };
    expect(refused({ maxConnections: 1 }, "b", "l")).to.include({
      code: "too_many_connections",
      status: 429,
      afterMs: 5_000,
    });
    expect(refused({ maxConnectionsPerAddress: 1 }, "a", "l")).to.include({
      code: "too_many_connections_per_address",
    });
    expect(refused({ maxConnectionsPerAddress: 1 }, "b", "k")).to.include({ group: "b" });
    expect(refused({ maxConnectionsPerKey: 1 }, "b", "k")).to.include({
      code: "too_many_connections_per_key",
    });
    expect(refused({ maxConnectionsPerKey: 1 }, "a", "l")).to.include({ keyId: "l" });
    expect(refused({ maxConnectionsPerKey: 1 }, "a", null)).to.include({ keyId: null });
  });

  it("are released once, however often that is said", () => {
    const seats = new Seats({ ...NONE, maxConnections: 2 });
    const [first] = [seated(seats.take("a", "k")), seated(seats.take("a", "k"))];
    first.release();
    first.release();
    seated(seats.take("a", "k"));
    expect(seats.take("a", "k")).to.include({ code: "too_many_connections" });
  });

  it("do not count the one that a newcomer is about to end, where it counts", () => {
    const seats = new Seats({ maxConnections: 2, maxConnectionsPerAddress: 1, maxConnectionsPerKey: 2 });
    const old = seated(seats.take("a", "k"));
    seated(seats.take("b", "k"));
    expect(seats.take("a", "k")).to.include({ code: "too_many_connections" });
    expect(seats.take("b", "k", old)).to.include({ code: "too_many_connections_per_address" });
    const again = seated(seats.take("a", "k", old));
    old.release();
    // What was its own is gone: it lends no second seat.
    expect(seats.take("a", "k", old)).to.include({ code: "too_many_connections" });
    again.release();
    seated(seats.take("a", "k"));
  });

  it("never exceed a limit, and leave nothing behind", () => {
    const limits = { maxConnections: 6, maxConnectionsPerAddress: 3, maxConnectionsPerKey: 4 };
    const step = fc.record({
      release: fc.option(fc.nat(10), { nil: undefined }),
      group: fc.constantFrom("a", "b", "c"),
      keyId: fc.constantFrom("k", "l", null),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const seats = new Seats(limits);
        const taken: Seat[] = [];
        const count = (matches: (seat: Seat) => boolean): number => taken.filter(matches).length;
        for (const { release, group, keyId } of steps) {
          if (release !== undefined) {
            const [seat] = taken.splice(release, 1);
            seat?.release();
            seat?.release();
            continue;
          }
          const isFull =
            taken.length >= 6 ||
            count((seat) => seat.group === group) >= 3 ||
            (keyId !== null && count((seat) => seat.keyId === keyId) >= 4);
          const answer = seats.take(group, keyId);
          expect("allowed" in answer).to.equal(isFull);
          if (!("allowed" in answer)) taken.push(answer);
          expect(seats.count).to.equal(taken.length);
        }
        for (const seat of taken) seat.release();
        expect(seats.count).to.equal(0);
      }),
    );
  });
});
