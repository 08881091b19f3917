import { expect } from "chai";
import fc from "fast-check";
import {
  type AccessRequest,
  compilePolicy,
  decide,
  isNarrowing,
  parseSettings,
  type SettingsInput,
} from "../../src/policy/index.ts";
import { PROPERTY_TIMEOUT_MS } from "./runs.ts";

const BASE: SettingsInput = { name: "key", allowRealtime: true, endpoints: { mode: "full-access" } };
const settings = (more: Partial<SettingsInput>) => parseSettings({ ...BASE, ...more });

describe("a change that narrows a key", () => {
  const narrowings: Record<string, [Partial<SettingsInput>, Partial<SettingsInput>]> = {
    "nothing that decides": [{}, { name: "other", metadata: { a: 1 } }],
    disabled: [{ enabled: true }, { enabled: false }],
    "disabled, and wider otherwise": [{ allowRealtime: false }, { allowRealtime: true, enabled: false }],
    "no realtime": [{}, { allowRealtime: false }],
    "an end": [{}, { expiresAt: "2027-01-01T00:00:00Z" }],
    "an earlier end": [{ expiresAt: "2027-01-01T00:00:00Z" }, { expiresAt: "2026-01-01T00:00:00Z" }],
    "no endpoint": [{}, { endpoints: { mode: "no-access" } }],
    "some endpoints": [{}, { endpoints: { mode: "custom-allowed", list: ["a"] } }],
    "fewer endpoints": [
      { endpoints: { mode: "custom-allowed", list: ["a", "b"] } },
      { endpoints: { mode: "custom-allowed", list: ["b"] } },
    ],
    "more excluded endpoints": [
      { endpoints: { mode: "custom-excluded", list: ["a"] } },
      { endpoints: { mode: "custom-excluded", list: ["b", "a"] } },
    ],
    "some domains": [{}, { domains: { mode: "specified", list: ["a.example.com"] } }],
    "fewer addresses": [
      { ips: { mode: "specified", list: ["10.0.0.1", "10.0.0.2"] } },
      { ips: { mode: "specified", list: ["10.0.0.2"] } },
    ],
    "some channels": [{}, { channels: [{ pattern: "a", actions: ["join"] }] }],
    "fewer actions": [
      { channels: [{ pattern: "a", actions: ["join", "publish"] }] },
      { channels: [{ pattern: "a", actions: ["publish"] }] },
    ],
    "a limit": [{}, { limits: [{ name: "a", limit: 5, windowSeconds: 1 }] }],
    "a lower limit": [
      { limits: [{ name: "a", limit: 5, windowSeconds: 1 }] },
      { limits: [{ name: "a", limit: 4, windowSeconds: 1 }] },
    ],
  };
  for (const [what, [before, after]] of Object.entries(narrowings)) {
    it(`is one: ${what}`, () => {
      expect(isNarrowing(settings(before), settings(after))).to.equal(true);
    });
    if (what === "nothing that decides") continue;
    it(`is none the other way round: ${what}`, () => {
      const isBoth = what === "disabled, and wider otherwise";
      expect(isNarrowing(settings(after), settings(before)), String(isBoth)).to.equal(false);
    });
  }

  it("is none where one thing narrows and another widens", () => {
    const before = settings({ allowRealtime: false });
    const after = settings({ allowRealtime: true, endpoints: { mode: "no-access" } });
    expect(isNarrowing(before, after)).to.equal(false);
  });

  it("is none where what was there cannot be read, unless it is disabled", () => {
    expect(isNarrowing({ name: 1 }, settings({}))).to.equal(false);
    expect(isNarrowing({ name: 1 }, settings({ enabled: false }))).to.equal(true);
    expect(isNarrowing(settings({}), { name: 1 })).to.equal(false);
  });

  it("never allows what was denied before", function () {
    this.timeout(PROPERTY_TIMEOUT_MS);
    const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
    const list = (...values: readonly string[]) => fc.subarray([...values], { minLength: 1 });
    const document = fc.record({
      name: fc.constant("key"),
      enabled: fc.boolean(),
      allowRealtime: fc.boolean(),
      expiresAt: some(null, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
      endpoints: fc.record({
        mode: some("no-access", "full-access", "custom-allowed", "custom-excluded"),
        list: list("a", "b", "GET /c"),
      }),
      domains: fc.record({ mode: some("all", "specified"), list: list("a.example.com", "b.example.com") }),
      ips: fc.record({ mode: some("all", "specified"), list: list("10.0.0.1", "10.0.0.0/8") }),
      channels: fc.option(
        fc.array(
          fc.record({ pattern: some("x:*", "x:y", "**"), actions: list("join", "publish", "history") }),
          { maxLength: 2 },
        ),
        { nil: undefined },
      ),
    });
    const requests: AccessRequest[] = [];
    for (const action of ["connect", "endpoint", "join", "publish"] as const)
      for (const origin of ["https://a.example.com", "https://b.example.com", undefined])
        for (const ip of ["10.0.0.1", "10.0.0.2", null])
          for (const id of ["a", "b", "c"])
            for (const channel of ["x:y", "x:z", "other"])
              requests.push({ action, origin, ip, channel, endpoint: { id, method: "GET", path: `/${id}` } });
    let narrowings = 0;
    fc.assert(
      fc.property(document, document, (before, after) => {
        const clean = ({ channels, ...rest }: typeof before) =>
          parseSettings(channels === undefined ? rest : { ...rest, channels });
        const [was, is] = [clean(before), clean(after)];
        if (!isNarrowing(was, is)) return;
        narrowings += 1;
        const [old, now] = [compilePolicy(was), compilePolicy(is)];
        const atMs = Date.parse("2026-06-01T00:00:00Z");
        for (const one of requests) {
          if (decide(now, one, atMs).allowed && !decide(old, one, atMs).allowed)
            throw new Error(JSON.stringify(one));
        }
      }),
      { numRuns: 600 },
    );
    expect(narrowings).to.be.above(60);
  });
});
