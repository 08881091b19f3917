import { expect } from "chai";
import { type AccessRequest, compilePolicy, decide, explain } from "../../src/policy/index.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const settings = {
  name: "web",
  allowRealtime: true,
  expiresAt: "2027-01-31T00:00:00Z",
  endpoints: { mode: "custom-allowed", list: ["list-orders"] },
  domains: { mode: "specified", list: ["https://*.b.example", "https://app.example:8443", "localhost"] },
  ips: { mode: "specified", list: ["10.0.0.0/8", "2001:db8::/32"] },
  channels: [
    { pattern: "chat:*", actions: ["join"] },
    { pattern: "news", actions: ["presence"] },
  ],
};
const orders = { id: "list-orders", method: "GET", path: "/orders" };

function messages(request: AccessRequest, changes: object = {}): Record<string, string> {
  const checks = explain(compilePolicy({ ...settings, ...changes }), request, now);
  return Object.fromEntries(checks.map((check) => [check.check, check.message]));
}

describe("explain", () => {
  it("gives every check in order, also after the first failure", () => {
    const policy = compilePolicy({ ...settings, enabled: false, allowRealtime: false });
    const request = { action: "join", origin: "https://no.example", ip: "1.2.3.4", channel: "x" } as const;
    const checks = explain(policy, request, Date.parse("2028-01-01T00:00:00Z"));
    expect(checks.map((check) => [check.check, check.passed])).to.deep.equal([
      ["enabled", false],
      ["expiry", false],
      ["realtime", false],
      ["domain", false],
      ["ip", false],
      ["channel", false],
    ]);
    expect(
      explain(policy, { action: "endpoint", ip: null, endpoint: orders }, now).map((one) => one.check),
    ).to.deep.equal(["enabled", "expiry", "endpoint", "domain", "ip"]);
    expect(explain(policy, { action: "connect", ip: null }, now)).to.have.length(5);
  });

  it("says what was compared and why the nearest rule does not cover an origin", () => {
    const domain = (origin: string | undefined) =>
      messages({ action: "connect", ip: null, origin })["domain"];
    expect(domain("https://x.a.b.example")).to.match(
      /^origin https:\/\/x\.a\.b\.example is under https:\/\/\*\.b\.example\? no: the wildcard stands for exactly one label;/,
    );
    expect(domain("https://b.example")).to.include("exactly one label, never for the name itself");
    expect(domain("http://a.b.example")).to.include("no: the scheme is http, not https");
    expect(domain("https://a.b.example:81")).to.include("no: the port is 81, not 443");
    expect(domain("https://app.example")).to.include("no: the port is 443, not 8443");
    expect(domain("https://x.app.example:8443")).to.include("for the name itself, not for names below it");
    expect(domain("https://localhost:1")).to.include("no: the scheme is https, not http");
    expect(domain("https://other.example")).to.equal(
      "origin https://other.example is under https://*.b.example, https://app.example:8443, http://localhost:*? no: add https://other.example to this key's authorized domains",
    );
    expect(domain("https://b.example.")).to.include("without a trailing dot");
    expect(domain("null")).to.include("cannot be authorized");
    expect(domain("https://a.b.example, https://a.b.example")).to.include("more than one Origin");
    expect(domain(undefined)).to.include("the request has no Origin");
    expect(domain("https://a.b.example")).to.match(/\? yes$/);
  });

  it("says what was compared for expiry, address, endpoint and channel", () => {
    const some = messages({
      action: "join",
      ip: "11.0.0.1",
      channel: "chat:1:2",
      origin: "https://a.b.example",
    });
    expect(some["expiry"]).to.equal("2026-11-23T12:00:00Z is before 2027-01-31T00:00:00Z? yes");
    expect(some["ip"]).to.equal(
      "address 11.0.0.1 is in 10.0.0.0/8, 2001:db8::/32? no: add 11.0.0.1 to this key's authorized IPs",
    );
    expect(some["channel"]).to.equal(
      'join on chat:1:2? no: chat:* has 2 segments, the channel 3: a * stands for exactly one; grant "join" on chat:1:2 in one of this key\'s channel rules',
    );
    expect(messages({ action: "join", ip: null, channel: "news" })["channel"]).to.include(
      "news covers it, but grants only presence",
    );
    expect(messages({ action: "broadcast", ip: null })["channel"]).to.include('with the pattern "**"');
    expect(messages({ action: "join", ip: null, channel: "chat:*" })["channel"]).to.include(
      "is not a channel name",
    );
    expect(messages({ action: "join", ip: null, channel: "chat:1" })["channel"]).to.equal(
      "join on chat:1? yes: a channel rule grants it",
    );
    expect(messages({ action: "connect", ip: null })["ip"]).to.include("declare the proxy in trustedProxies");
    expect(messages({ action: "endpoint", ip: null, endpoint: orders })["endpoint"]).to.equal(
      "GET /orders (list-orders) is one of 1 allowed endpoints? yes",
    );
    const excluded = { endpoints: { mode: "custom-excluded", list: ["list-orders"] } };
    expect(messages({ action: "endpoint", ip: null, endpoint: orders }, excluded)["endpoint"]).to.equal(
      "GET /orders (list-orders) is none of 1 excluded endpoints? no: take GET /orders (list-orders) off this key's excluded endpoints",
    );
    const none = { endpoints: { mode: "no-access" } };
    expect(messages({ action: "endpoint", ip: null, endpoint: orders }, none)["endpoint"]).to.equal(
      "GET /orders (list-orders) under no-access? no: add GET /orders (list-orders) to this key's allowed endpoints",
    );
    expect(messages({ action: "endpoint", ip: null })["endpoint"]).to.include("no declared endpoint matches");
  });

  it("says so when a check does not apply", () => {
    const policy = compilePolicy({ name: "open", allowRealtime: true });
    const checks = explain(policy, { action: "join", ip: null, channel: "x" }, now);
    expect(checks.map((check) => check.message)).to.deep.equal([
      "the key is enabled",
      "the key never expires",
      "realtime is allowed",
      "every origin is authorized",
      "every address is authorized",
      "join on x? yes: every channel is open",
    ]);
  });
});

describe("a denial", () => {
  it("names the fix", () => {
    const policy = compilePolicy(settings);
    const origin = decide(policy, { action: "connect", ip: null, origin: "https://APP.example:443" }, now);
    expect(origin).to.deep.equal({
      allowed: false,
      code: "domain_not_authorized",
      status: 403,
      message: "add https://app.example to this key's authorized domains",
    });
    const closed = compilePolicy({ name: "closed" });
    expect(decide(closed, { action: "connect", ip: null }, now)).to.include({
      message: "turn on realtime for this key",
    });
  });

  it("repeats what was sent without control characters, and cut", () => {
    const open = compilePolicy({ name: "one", allowRealtime: true, channels: [] });
    const sent = `\u001b[2J\u202e${"x".repeat(5000)}`;
    const decision = decide(open, { action: "join", ip: null, channel: sent }, now);
    const message = decision.allowed ? "" : decision.message;
    expect(message).to.not.match(/\p{Cc}|\u202e/u);
    expect(message.length).to.be.within(100, 300);
  });

  it("has the status of the error table", () => {
    const policy = compilePolicy(settings);
    const expired = decide(policy, { action: "connect", ip: null }, Date.parse("2027-01-31T00:00:00Z"));
    expect(expired).to.include({ code: "expired_api_key", status: 401 });
  });
});

describe("an allowance", () => {
  it("is one frozen value", () => {
    const open = compilePolicy({ name: "open", allowRealtime: true });
    const first = decide(open, { action: "connect", ip: null }, now);
    expect(first).to.equal(decide(open, { action: "join", ip: null, channel: "x" }, now));
    expect(Object.isFrozen(first)).to.equal(true);
  });
});
