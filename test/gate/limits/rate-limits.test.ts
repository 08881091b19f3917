import { mock } from "node:test";
import { expect } from "chai";
import { type Caller, MemoryCounters, RateLimits } from "../../../src/gate/limits/index.ts";
import type { Limit } from "../../../src/policy/index.ts";
import { rateLimitHeaders } from "../../../src/protocol/index.ts";

const burst: Limit = { name: "burst", limit: 1, windowSeconds: 1, per: "key" };

describe("rate limits", () => {
  let limits: RateLimits;
  beforeEach(() => {
    mock.timers.enable({ apis: ["Date", "setTimeout"], now: 1_000_000 });
    limits = new RateLimits(new MemoryCounters({ now: () => Date.now() }));
  });
  afterEach(async () => {
    await limits.close();
    mock.timers.reset();
  });
  const isAllowed = async (caller: Caller, limit: Limit, keyId = "key_a"): Promise<boolean> =>
    (await limits.charge(keyId, [limit], caller)).allowed;

  it("count by key, by address, by connection and by client", async () => {
    const one = { ip: "10.0.0.1", connectionId: "c1", clientId: "k1" };
    const others = [
      {
        per: "address",
        same: { ...one, connectionId: "c2", clientId: "k2" },
        other: { ...one, ip: "10.0.0.2" },
      },
      {
        per: "connection",
        same: { ...one, ip: "10.0.0.2", clientId: "k2" },
        other: { ...one, connectionId: "c2" },
      },
      {
        per: "client",
        same: { ...one, ip: "10.0.0.2", connectionId: "c2" },
        other: { ...one, clientId: "k2" },
      },
    ] as const;
    for (const { per, same, other } of others) {
      const limit = { ...burst, name: per, per };
      expect(await isAllowed(one, limit), per).to.equal(true);
      expect(await isAllowed(same, limit), per).to.equal(false);
      expect(await isAllowed(other, limit), per).to.equal(true);
    }
    expect(await isAllowed(one, burst)).to.equal(true);
    expect(await isAllowed({ ip: "10.9.9.9", connectionId: "c9", clientId: "k9" }, burst)).to.equal(false);
    expect(await isAllowed(one, burst, "key_b")).to.equal(true);
  });

  it("count a call without a connection by its address, apart from every connection", async () => {
    for (const per of ["connection", "client"] as const) {
      const limit = { ...burst, name: per, per };
      expect(await isAllowed({ ip: "10.0.0.1" }, limit)).to.equal(true);
      expect(await isAllowed({ ip: "10.0.0.1" }, limit)).to.equal(false);
      expect(await isAllowed({ ip: "10.0.0.2" }, limit)).to.equal(true);
      expect(await isAllowed({ ip: "10.0.0.1", connectionId: "c", clientId: "k" }, limit)).to.equal(true);
    }
  });

  it("take a /64 of IPv6 for one address, and a mapped address for the IPv4 one", async () => {
    const limit: Limit = { ...burst, per: "address" };
    expect(await isAllowed({ ip: "2001:db8::1" }, limit)).to.equal(true);
    expect(await isAllowed({ ip: "2001:db8::ffff:2" }, limit)).to.equal(false);
    expect(await isAllowed({ ip: "2001:db8:0:1::1" }, limit)).to.equal(true);
    expect(await isAllowed({ ip: "10.0.0.1" }, limit)).to.equal(true);
    expect(await isAllowed({ ip: "::ffff:10.0.0.1" }, limit)).to.equal(false);
    expect(await isAllowed({ ip: null }, limit)).to.equal(true);
    expect(await isAllowed({ ip: null }, limit)).to.equal(false);
  });

  it("go on with what was used when the number is edited, and begin anew with another window, scope or name", async () => {
    const caller = { ip: "10.0.0.1" };
    expect(await isAllowed(caller, { ...burst, limit: 2 })).to.equal(true);
    expect(await isAllowed(caller, { ...burst, limit: 1 })).to.equal(false);
    expect(await isAllowed(caller, { ...burst, limit: 2 })).to.equal(true);
    expect(await isAllowed(caller, { ...burst, windowSeconds: 2 })).to.equal(true);
    expect(await isAllowed(caller, { ...burst, per: "address" })).to.equal(true);
    expect(await isAllowed(caller, { ...burst, name: "other" })).to.equal(true);
  });

  it("say which limit is used up, and when the last of those that are begins anew", async () => {
    const hour: Limit = { name: "hour", limit: 1, windowSeconds: 3600, per: "address" };
    const wide: Limit = { name: "wide", limit: 5, windowSeconds: 10, per: "key" };
    const all = [burst, hour, wide];
    expect(await limits.charge("key_a", all, { ip: "10.0.0.1" })).to.deep.include({
      allowed: true,
      limits: [
        { name: "burst", limit: 1, windowSeconds: 1, remaining: 0, resetMs: 1000 },
        { name: "hour", limit: 1, windowSeconds: 3600, remaining: 0, resetMs: 3_600_000 },
        { name: "wide", limit: 5, windowSeconds: 10, remaining: 4, resetMs: 10_000 },
      ],
    });
    mock.timers.tick(300);
    const denied = await limits.charge("key_a", all, { ip: "10.0.0.1" });
    expect(denied).to.include({ code: "rate_limit_exceeded", status: 429, afterMs: 3_599_700 });
    expect(denied).to.have.property("message").that.includes('"burst"').and.includes('"hour"');
    expect(denied).to.have.property("message").that.does.not.include("wide");
    const near = await limits.charge("key_a", [burst, wide], { ip: "10.0.0.1" });
    expect(near).to.include({ afterMs: 700 });
    expect(rateLimitHeaders(near.limits ?? [])).to.deep.equal({
      "ratelimit-policy": '"burst";q=1;w=1, "wide";q=5;w=10',
      ratelimit: '"burst";r=0;t=1, "wide";r=4;t=10',
    });
    expect(rateLimitHeaders([])).to.deep.equal({});
  });

  it("explain what charge would say, and count nothing", async () => {
    const caller = { ip: "10.0.0.1" };
    const ask = () => limits.explain("key_a", [burst], caller);
    expect((await ask()).verdict.allowed).to.equal(true);
    expect((await ask()).checks).to.deep.equal([
      { check: "limit", passed: true, message: '"burst": the whole key has used 0 of 1' },
    ]);
    await limits.charge("key_a", [burst], caller);
    expect((await ask()).verdict).to.include({ code: "rate_limit_exceeded", afterMs: 1000 });
    expect((await ask()).checks[0]).to.include({ passed: false });
    expect((await limits.explain(null, [burst], caller)).verdict.allowed).to.equal(true);
    expect((await limits.explain("key_a", [], caller)).checks).to.deep.equal([
      { check: "limit", passed: true, message: "the key has no limits" },
    ]);
  });
});
