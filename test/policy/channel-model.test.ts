import { expect } from "chai";
import fc from "fast-check";
import { type ChannelAction, compilePolicy, decide } from "../../src/policy/index.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "./runs.ts";

/** The design's sentence as code: segments between colons, `*` one of them, a final `**` the rest. */
function covers(pattern: readonly string[], channel: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return channel.length === 0;
  if (first === "**") return channel.length > 0;
  const [head, ...tail] = channel;
  return head !== undefined && (first === "*" || first === head) && covers(others, tail);
}

const segment = fc.constantFrom("", "a", "b", "ab", "B", "c.d", "\u00e9", "[x]");
const pattern = fc
  .tuple(
    fc.array(fc.oneof(segment, fc.constant("*")), { minLength: 1, maxLength: 5 }),
    fc.constantFrom([], ["**"]),
  )
  .map(([parts, rest]) => [...parts, ...rest].join(":"))
  .filter((text) => text !== "");
const channel = fc
  .array(segment, { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(":"))
  .filter((text) => text !== "");
const action = fc.constantFrom<ChannelAction>("join", "publish", "presence", "history");
const rule = fc.record({ pattern, actions: fc.uniqueArray(action, { minLength: 1 }) });

describe("channel rules against the design's sentence", function () {
  this.timeout(PROPERTY_TIMEOUT_MS);

  it("grant what any rule grants, and nothing else", () => {
    let granted = 0;
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), action, channel, (channels, wanted, name) => {
        const policy = compilePolicy({ name: "one", allowRealtime: true, channels });
        const expected = channels.some(
          (one) => one.actions.includes(wanted) && covers(one.pattern.split(":"), name.split(":")),
        );
        const decision = decide(policy, { action: wanted, ip: null, channel: name }, 0);
        expect(decision.allowed).to.equal(expected);
        if (expected) granted += 1;
      }),
      { numRuns: RUNS / 8 },
    );
    expect(granted).to.be.greaterThan(RUNS / 80);
  });

  it("answer at once however the wildcards branch", () => {
    const channels = Array.from({ length: 1000 }, (_, index) => ({
      pattern: `${[...index.toString(2).padStart(10, "0")].map((bit) => (bit === "1" ? "*" : "a")).join(":")}:end`,
      actions: ["join"],
    }));
    const policy = compilePolicy({ name: "one", allowRealtime: true, channels });
    const request = (last: string) => ({
      action: "join" as const,
      ip: null,
      channel: ["a", "a", "a", "a", "a", "a", "a", "a", "a", "a", last].join(":"),
    });
    expect(decide(policy, request("end"), 0).allowed).to.equal(true);
    const times = Math.min(1000, RUNS / 10);
    for (let i = 0; i < times; i += 1) expect(decide(policy, request("no"), 0).allowed).to.equal(false);
  });
});
