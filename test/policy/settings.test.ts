import { expect } from "chai";
import {
  compilePolicy,
  compileStored,
  decide,
  explain,
  PolicyError,
  parseSettings,
} from "../../src/policy/index.ts";

function errorOf(input: unknown): PolicyError {
  try {
    parseSettings(input);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  return expect.fail("no fault was named");
}

describe("settings", () => {
  it("are complete once they are parsed", () => {
    expect(parseSettings({ name: "  web  " })).to.deep.equal({
      name: "web",
      enabled: true,
      allowRealtime: false,
      endpoints: { mode: "no-access", list: [] },
      expiresAt: null,
      domains: { mode: "all", list: [] },
      ips: { mode: "all", list: [] },
      metadata: {},
    });
  });

  it("show what will be compared: canonical text, duplicates merged, order kept", () => {
    const settings = parseSettings({
      name: "web",
      endpoints: { mode: "custom-allowed", list: ["get /b", "GET /b", "a", "a"] },
      domains: {
        mode: "specified",
        list: ["B.example", "https://b.example:443", "a.example", "HTTPS://A.example"],
      },
      ips: { mode: "specified", list: ["10.9.9.9/8", "::1", "10.0.0.0/8", "0:0::1", "::ffff:10.1.1.1/104"] },
      channels: [
        { pattern: "a", actions: ["publish", "join", "join"] },
        { pattern: "b", actions: ["history"] },
        { pattern: "a", actions: ["presence", "join"] },
      ],
    });
    expect(settings.endpoints.list).to.deep.equal(["GET /b", "a"]);
    expect(settings.domains.list).to.deep.equal(["https://b.example", "https://a.example"]);
    expect(settings.ips.list).to.deep.equal(["10.0.0.0/8", "::1"]);
    expect(settings.channels).to.deep.equal([
      { pattern: "a", actions: ["join", "publish", "presence"] },
      { pattern: "b", actions: ["history"] },
    ]);
  });

  it("keep limits in their order, per connection where nothing is said, and none for an empty list", () => {
    const burst = { name: "burst", limit: 50, windowSeconds: 1 };
    const daily = { name: "per-day.1_x", limit: 1_000_000_000, windowSeconds: 604_800, per: "key" };
    const { limits } = parseSettings({ name: "web", limits: [daily, burst] });
    expect(limits).to.deep.equal([daily, { ...burst, per: "connection" }]);
    expect(parseSettings(parseSettings({ name: "web", limits })).limits).to.deep.equal(limits);
    expect(parseSettings({ name: "web", limits: [] })).to.deep.equal(parseSettings({ name: "web" }));
    expect(compilePolicy({ name: "web", limits }).limits).to.deep.equal(limits);
    expect(compilePolicy({ name: "web" }).limits).to.deep.equal([]);
    const joins = { ...burst, name: "arrivals", kind: "joins" };
    const { limitsByKind } = compilePolicy({
      name: "web",
      limits: [daily, joins, { ...burst, kind: "calls" }],
    });
    const arrivals = { ...joins, per: "connection" };
    const calls = [daily, { ...burst, per: "connection" }];
    expect(limitsByKind).to.deep.equal({ calls, joins: [arrivals], reads: [] });
    const upper = [burst, { ...burst, name: "Burst" }];
    expect(parseSettings({ name: "web", limits: upper }).limits).to.have.length(2);
  });

  it("keep metadata as it is, but are a copy", () => {
    const metadata = { team: "x", nested: { list: [1, null, { deep: true }], zero: -0 } };
    const settings = parseSettings({ name: "web", metadata });
    expect(settings.metadata).to.deep.equal({
      team: "x",
      nested: { list: [1, null, { deep: true }], zero: 0 },
    });
    metadata.nested.list.push(2);
    expect(settings.metadata["nested"]).to.deep.equal({ list: [1, null, { deep: true }], zero: 0 });
  });

  it("take undefined for absent", () => {
    const input = {
      name: "web",
      enabled: undefined,
      channels: undefined,
      limits: undefined,
      expiresAt: undefined,
    };
    expect(parseSettings(input)).to.deep.equal(parseSettings({ name: "web" }));
  });

  it("hold 20,000 entries of each kind, and refuse more", () => {
    const names = Array.from({ length: 20_001 }, (_, index) => index.toString(36));
    const domains = (count: number) => names.slice(0, count).map((name) => `https://${name}.example`);
    const settings = parseSettings({ name: "web", domains: { mode: "specified", list: domains(20_000) } });
    expect(settings.domains.list).to.have.length(20_000);
    const error = errorOf({ name: "web", domains: { mode: "specified", list: domains(20_001) } });
    expect(error.faults).to.deep.equal([
      { pointer: "/domains/list", message: "has too many items: at most 20000" },
    ]);
  });

  it("refuse entries and rules beyond their bounds", () => {
    const rules = Array.from({ length: 1001 }, (_, index) => ({ pattern: `c${index}`, actions: ["join"] }));
    expect(errorOf({ name: "web", channels: rules }).faults[0]?.pointer).to.equal("/channels");
    expect(parseSettings({ name: "web", channels: rules.slice(1) }).channels).to.have.length(1000);
    const long = errorOf({ name: "web", ips: { mode: "all", list: ["1".repeat(513)] } });
    expect(long.faults).to.deep.equal([
      { pointer: "/ips/list/0", message: "is too long: at most 512 characters" },
    ]);
  });

  it("hold metadata of 4096 bytes and values, 16 deep, and refuse more", () => {
    const faultsOf = (metadata: unknown) => {
      const input = { name: "web", metadata };
      try {
        expect(parseSettings(input).metadata).to.deep.equal(metadata);
        return [];
      } catch (error) {
        if (error instanceof PolicyError) return error.faults;
        throw error;
      }
    };
    const nest = (depth: number): unknown => (depth === 0 ? 1 : { a: nest(depth - 1) });
    expect(faultsOf({ a: "x".repeat(4088) })).to.deep.equal([]);
    expect(faultsOf({ a: "x".repeat(4089) })).to.deep.equal([
      { pointer: "/metadata", message: "is too large: at most 4096 bytes as JSON" },
    ]);
    expect(faultsOf({ a: "\u00e9".repeat(2045) })).to.have.length(1);
    expect(faultsOf({ a: "x".repeat(4096) })[0]?.pointer).to.equal("/metadata");
    expect(faultsOf({ a: "x".repeat(4097) })).to.deep.equal([
      { pointer: "/metadata/a", message: "is too long" },
    ]);
    expect(faultsOf(nest(16))).to.deep.equal([]);
    expect(faultsOf(nest(17))).to.deep.equal([
      { pointer: `/metadata${"/a".repeat(17)}`, message: "is nested too deeply" },
    ]);
    expect(faultsOf({ a: new Array<number>(4097).fill(1) })).to.deep.equal([
      { pointer: "/metadata/a", message: "has too many items: at most 4096" },
    ]);
    const ones = (count: number) => new Array<number>(count).fill(1);
    expect(faultsOf({ a: ones(4094) })[0]?.message).to.match(/^is too large/);
    expect(faultsOf({ a: ones(4095) })).to.deep.equal([
      { pointer: "/metadata/a/4094", message: "has too many values" },
    ]);
    expect(faultsOf({ a: ones(3000), b: ones(3000) })).to.deep.equal([
      { pointer: "/metadata/b/1093", message: "has too many values" },
    ]);
  });

  it("hold what JSON can hold in metadata, and nothing else", () => {
    const faultsOf = (value: unknown) => errorOf({ name: "web", metadata: { a: value } }).faults;
    for (const [value, message] of [
      [Number.NaN, "must be a finite number"],
      [Number.POSITIVE_INFINITY, "must be a finite number"],
      [1n, "is not JSON"],
      [Symbol("x"), "is not JSON"],
      [() => 1, "is not JSON"],
      [new Date(0), "must be a plain object"],
      [new Map(), "must be a plain object"],
      [{ [Symbol("x")]: 1 }, "must not have symbols as keys"],
      [Object.defineProperty({}, "x", { get: () => 1 }), "must hold plain data, no accessors"],
    ] as const) {
      expect(faultsOf(value)).to.deep.equal([{ pointer: "/metadata/a", message }]);
    }
    expect(faultsOf([1, undefined])).to.deep.equal([{ pointer: "/metadata/a/1", message: "is not JSON" }]);
    const bare: unknown = Object.assign(Object.create(null), { x: undefined, y: -0, z: [] });
    const { metadata } = parseSettings({ name: "web", metadata: { a: bare } });
    expect(Object.is(Reflect.get(Object(metadata["a"]), "y"), 0)).to.equal(true);
    expect(metadata).to.deep.equal({ a: { y: 0, z: [] } });
    expect(Object.keys(Object(metadata["a"]))).to.deep.equal(["y", "z"]);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(faultsOf(revoked.proxy)).to.deep.equal([{ pointer: "/metadata/a", message: "cannot be read" }]);
    const list = Proxy.revocable([], {});
    list.revoke();
    expect(errorOf({ name: "web", channels: list.proxy }).faults).to.deep.equal([
      { pointer: "/channels", message: "cannot be read" },
    ]);
  });

  it("count characters and not UTF-16 units", () => {
    expect(parseSettings({ name: "\u{1f600}".repeat(64) }).name).to.have.length(128);
    expect(errorOf({ name: "\u{1f600}".repeat(65) }).faults).to.have.length(1);
    expect(errorOf({ name: "\u{1f600}" }).faults).to.deep.equal([
      { pointer: "/name", message: "is too short: at least 2 characters" },
    ]);
    expect(parseSettings({ name: "ab", metadata: { "\u{1f600}/~": 1 } }).metadata).to.have.all.keys(
      "\u{1f600}/~",
    );
  });

  it("show what was sent without anything that a terminal or a reader would act on", () => {
    const shown = (text: string) => {
      const { message = "" } =
        errorOf({ name: "web", ips: { mode: "all", list: [`x${text}x`] } }).faults[0] ?? {};
      return message.slice(2, message.indexOf('x" is'));
    };
    const replaced = [0x00, 0x1f, 0x7f, 0x80, 0x9f, 0xad, 0x61c, 0x180e, 0xfeff, 0x200b, 0x200c, 0x200f];
    replaced.push(0x2028, 0x202a, 0x202e, 0x2060, 0x2066, 0x206f, 0xe0000, 0xe0001, 0xe0fff);
    for (const point of replaced) expect(shown(String.fromCodePoint(point))).to.equal("\ufffd");
    const kept = [0x20, 0x7e, 0xa0, 0xac, 0xae, 0x61b, 0x61d, 0x180d, 0x180f, 0xfefe, 0xff00, 0x200a, 0x2010];
    kept.push(0x2027, 0x202f, 0x205f, 0x2070, 0x1f600, 0xdffff, 0xe1000);
    for (const point of kept) {
      expect(shown(String.fromCodePoint(point))).to.equal(String.fromCodePoint(point));
    }
    const long = (count: number) =>
      errorOf({ name: "web", ips: { mode: "all", list: ["y".repeat(count)] } }).faults[0]?.message;
    expect(long(200)).to.equal(`"${"y".repeat(200)}" is not an IPv4 or IPv6 address`);
    expect(long(201)).to.equal(`"${"y".repeat(200)}\u2026" is not an IPv4 or IPv6 address`);
    expect(errorOf({ name: "web", ["z/~".repeat(100)]: 1 }).faults[0]?.pointer).to.equal(
      `/${"z~1~0".repeat(66)}z~1\u2026`,
    );
  });

  it("carry no forbidden key and pollute nothing", () => {
    const input: unknown = JSON.parse(
      '{"name":"web","metadata":{"a":{"__proto__":{"polluted":1}}},"__proto__":{"x":1}}',
    );
    expect(errorOf(input).faults.map((fault) => fault.pointer)).to.have.members([
      "/metadata/a/__proto__",
      "/__proto__",
    ]);
    expect(Object.hasOwn(Object.prototype, "polluted")).to.equal(false);
  });

  it("are read without running accessors", () => {
    let runs = 0;
    const input = Object.defineProperty({ name: "web" }, "enabled", {
      enumerable: true,
      get: () => {
        runs += 1;
        return true;
      },
    });
    expect(errorOf(input).faults).to.deep.equal([
      { pointer: "", message: "must hold plain data, no accessors" },
    ]);
    expect(runs).to.equal(0);
  });

  it("name what was sent in messages without its control characters, and cut", () => {
    const sent = `https://\u001b[31m\u202eevil\u0000.example/${"x".repeat(400)}`;
    const error = errorOf({ name: "web", domains: { mode: "specified", list: [sent] } });
    const message = error.faults[0]?.message ?? "";
    expect(message).to.include("has a path");
    expect(message).to.not.match(/\p{Cc}|\u202e/u);
    expect(message.length).to.be.lessThan(300);
  });

  it("sum up their faults in the error's message", () => {
    const error = errorOf({ a: 1, b: 2, c: 3 });
    expect(error.code).to.equal("invalid_settings");
    expect(error.name).to.equal("PolicyError");
    expect(error.message).to.equal(
      "the settings have faults: /a: is not a known field; /b: is not a known field; /c: is not a known field; and 1 more",
    );
    expect(errorOf(null).message).to.equal("the settings have a fault: (root): must be an object");
  });
});

describe("stored settings", () => {
  const request = { action: "connect", origin: "https://x.github.io", ip: null } as const;

  it("are not bricked by a new public suffix", () => {
    const stored = {
      name: "web",
      allowRealtime: true,
      domains: { mode: "specified", list: ["https://*.github.io"] },
    };
    expect(() => compilePolicy(stored)).to.throw(PolicyError);
    const policy = compileStored(stored);
    expect(policy.faults).to.deep.equal([]);
    expect(decide(policy, request, 0)).to.deep.equal({ allowed: true });
  });

  it("deny everything when any part is not understood, and say which", () => {
    for (const [part, pointer] of [
      [{ future: true }, "/future"],
      [{ domains: { mode: "regex", list: [] } }, "/domains/mode"],
      [{ ips: { mode: "specified", list: ["10/8"] } }, "/ips/list/0"],
      [{ expiresAt: "2027-02-30T00:00:00Z" }, "/expiresAt"],
      [{ limits: [{ name: "burst" }] }, "/limits/0/limit"],
    ] as const) {
      const policy = compileStored({ name: "web", allowRealtime: true, ...part });
      expect(policy.faults[0]?.pointer).to.equal(pointer);
      const decision = decide(policy, request, 0);
      expect(decision).to.include({ allowed: false, code: "disabled_api_key", status: 401 });
      expect(decision).to.have.property("message").that.includes(pointer);
      expect(explain(policy, request, 0)[0]).to.include({ check: "enabled", passed: false });
    }
    // Written out again, not taken from the sources: what lets nobody in must not change along with them.
    expect(compileStored(null)).to.deep.include({
      settings: {
        name: "unreadable",
        enabled: false,
        allowRealtime: false,
        endpoints: { mode: "no-access", list: [] },
        expiresAt: null,
        domains: { mode: "specified", list: [] },
        ips: { mode: "specified", list: [] },
        channels: [],
        metadata: {},
      },
      enabled: false,
      allowRealtime: false,
      expiresAtMs: Number.POSITIVE_INFINITY,
    });
    expect(Object.isFrozen(compileStored(null))).to.equal(true);
    expect(decide(compileStored(null), request, 0)).to.have.property(
      "message",
      "the settings stored for this key cannot be read ((root) must be an object): save them again",
    );
    expect(compileStored(undefined).faults).to.deep.equal([{ pointer: "", message: "must be an object" }]);
  });
});
