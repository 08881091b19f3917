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
      [{ limits: [] }, "/limits"],
    ] as const) {
      const policy = compileStored({ name: "web", allowRealtime: true, ...part });
      expect(policy.faults.map((fault) => fault.pointer)).to.deep.equal([pointer]);
      const decision = decide(policy, request, 0);
      expect(decision).to.include({ allowed: false, code: "disabled_api_key", status: 401 });
      expect(decision).to.have.property("message").that.includes(pointer);
      expect(explain(policy, request, 0)[0]).to.include({ check: "enabled", passed: false });
    }
    expect(compileStored(undefined).faults).to.deep.equal([{ pointer: "", message: "must be an object" }]);
  });
});
