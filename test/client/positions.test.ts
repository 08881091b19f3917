import { expect } from "chai";
import fc from "fast-check";
import { HeardPosition } from "../../client/positions.ts";

describe("the position up to which a client has heard a channel", () => {
  it("moves over own messages that are not sent back, and never over one that was not heard", () => {
    // Offsets 1 to n in their order, each by others (delivered) or own (acknowledged, perhaps later than what follows).
    const message = fc.record({ isOwn: fc.boolean(), ackDelay: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), fc.integer({ min: 0, max: 80 }), (messages, cut) => {
        const events: { at: number; offset: number; isOwn: boolean }[] = messages.map(
          ({ isOwn, ackDelay }, index) => ({ at: index + (isOwn ? ackDelay : 0), offset: index + 1, isOwn }),
        );
        const seen = events.toSorted((a, b) => a.at - b.at).slice(0, cut);
        const heard = new HeardPosition();
        heard.reach("e", 0);
        for (const { offset, isOwn } of seen) {
          if (isOwn) heard.sent("e", offset);
          else heard.reach("e", offset);
        }
        const position = heard.current?.offset ?? 0;
        const known = new Set(seen.map(({ offset }) => offset));
        for (const { offset, isOwn } of events)
          if (!isOwn && offset <= position)
            expect(known.has(offset), `${offset} of ${position}`).to.equal(true);
        // It is not behind what is known without a hole, either.
        let whole = 0;
        while (known.has(whole + 1)) whole += 1;
        expect(position).to.be.at.least(whole);
      }),
    );
  });

  it("begins anew in another life of the channel, and never goes back in the same one", () => {
    const heard = new HeardPosition();
    heard.reach("a", 5);
    heard.reach("a", 3);
    heard.sent("a", 9);
    expect(heard.current).to.deep.equal({ epoch: "a", offset: 5 });
    heard.reach("b", 1);
    heard.sent("a", 2);
    expect(heard.current).to.deep.equal({ epoch: "b", offset: 1 });
  });
});
