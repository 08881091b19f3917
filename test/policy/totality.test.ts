import { expect } from "chai";
import fc from "fast-check";
import { Value } from "typebox/value";
import {
  addressGroup,
  clientAddress,
  compilePolicy,
  compileStored,
  createAddressResolver,
  decide,
  explain,
  normalizeAddress,
  normalizedSettingsSchema,
  PolicyError,
  parseSettings,
  requestOrigin,
  type Settings,
  settingsSchema,
} from "../../src/policy/index.ts";
import { addressText, networkText } from "./address-texts.ts";
import { bringToLife, hostileThing, hostileThings } from "./hostile.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "./runs.ts";
import { untyped } from "./vectors.ts";

const hostile = fc.oneof(
  hostileThing,
  fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withSparseArray: true,
    withDate: true,
    maxDepth: 4,
  }),
);
const part = fc.oneof(
  hostile,
  fc.constantFrom<unknown>("all", "specified", "custom-allowed", true, false, null, [], {}),
  fc.string(),
);
const list = fc.oneof(
  fc.array(fc.oneof(part, networkText, fc.webUrl(), fc.domain()), { maxLength: 5 }),
  part,
);
const section = fc.oneof(fc.record({ mode: part, list }, { requiredKeys: [] }), part);
const anySettings = fc.oneof(
  fc.record(
    {
      name: part,
      enabled: part,
      allowRealtime: part,
      endpoints: section,
      expiresAt: part,
      domains: section,
      ips: section,
      channels: fc.oneof(fc.array(fc.record({ pattern: part, actions: list }, { requiredKeys: [] })), part),
      limits: fc.oneof(
        fc.array(
          fc.record({ name: part, limit: part, windowSeconds: part, per: part }, { requiredKeys: [] }),
        ),
        part,
      ),
      metadata: part,
      unknown: part,
    },
    { requiredKeys: [] },
  ),
  hostile,
);

const origins = ["https://a.example", "https://*.b.example", "localhost", "capacitor://localhost"];
const networks = ["10.0.0.0/8", "2001:db8::/32", "::ffff:1.2.3.4"];
const endpoints = ["list-orders", "GET /files/*", "POST /orders"];
const mode = fc.constantFrom("all", "specified");
const goodSettings = fc.record(
  {
    name: fc.constant("good"),
    enabled: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.constant(false)),
    allowRealtime: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    endpoints: fc.record({
      mode: fc.constantFrom("no-access", "full-access", "custom-allowed", "custom-excluded"),
      list: fc.subarray(endpoints),
    }),
    expiresAt: fc.constantFrom(null, "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    domains: fc.record({ mode, list: fc.subarray(origins) }),
    ips: fc.record({ mode, list: fc.subarray(networks) }),
    channels: fc.array(
      fc.record({
        pattern: fc.constantFrom("chat:*", "**", "news"),
        actions: fc.subarray(["join", "publish", "presence", "history"], { minLength: 1 }),
      }),
      { maxLength: 3 },
    ),
    limits: fc.uniqueArray(
      fc.record(
        {
          name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/),
          limit: fc.integer({ min: 1, max: 1_000_000_000 }),
          windowSeconds: fc.integer({ min: 1, max: 604_800 }),
          per: fc.constantFrom("connection", "address", "client", "key"),
        },
        { requiredKeys: ["name", "limit", "windowSeconds"] },
      ),
      { maxLength: 10, selector: ({ name }) => name },
    ),
    metadata: fc
      .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
      .filter((value) => !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value))),
  },
  { requiredKeys: ["name"] },
);
const endpoint = fc.constantFrom<unknown>(
  { id: "list-orders", method: "GET", path: "/orders" },
  { id: "files", method: "HEAD", path: "/files/*" },
  { id: "x", method: "DELETE", path: "/x" },
);
const request = fc.record(
  {
    action: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          "connect",
          "endpoint",
          "join",
          "publish",
          "presence",
          "history",
          "broadcast",
        ),
      },
      hostile,
    ),
    origin: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom("https://a.example", "https://x.b.example", "http://localhost:1", "null"),
      },
      part,
    ),
    ip: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("10.1.1.1", "::ffff:1.2.3.4", "2001:db8::5") },
      addressText,
      part,
    ),
    endpoint: fc.oneof({ weight: 4, arbitrary: endpoint }, part),
    channel: fc.oneof({ weight: 4, arbitrary: fc.constantFrom("chat:1", "news", "a:b:c") }, part),
  },
  { requiredKeys: [] },
);
const anyRequest = fc.oneof({ weight: 9, arbitrary: request }, hostile);
const now = fc.oneof(fc.constantFrom<unknown>(0, 1.8e12, 2e12, Number.NaN, Infinity, -Infinity), part);

function parseOrNull(input: unknown): Settings | null {
  try {
    return parseSettings(input);
  } catch (error) {
    expect(error).to.be.instanceOf(PolicyError);
    if (error instanceof PolicyError) {
      expect(error.faults).to.not.be.empty;
      for (const fault of error.faults) {
        expect(fault.pointer).to.match(/^(\/|$)/);
        expect(fault.message.length).to.be.within(1, 500);
        expect(fault.message.isWellFormed() && fault.pointer.isWellFormed()).to.equal(true);
      }
    }
    return null;
  }
}

describe("whatever it is given, the policy", function () {
  this.timeout(PROPERTY_TIMEOUT_MS);

  it("names faults or gives complete settings, and throws nothing else", () => {
    for (const thing of hostileThings()) parseOrNull(thing);
    fc.assert(
      fc.property(anySettings, (places) => {
        const input = bringToLife(places);
        const settings = parseOrNull(input);
        expect(settings === null || Value.Check(normalizedSettingsSchema, settings)).to.equal(true);
        expect(compileStored(input).faults.length > 0).to.equal(settings === null);
      }),
      { numRuns: RUNS / 10 },
    );
  });

  it("keeps settings as they are once they are normalised", () => {
    fc.assert(
      fc.property(goodSettings, (input) => {
        expect(Value.Check(settingsSchema, input)).to.equal(true);
        const once = parseSettings(input);
        expect(Value.Check(normalizedSettingsSchema, once)).to.equal(true);
        expect(parseSettings(once)).to.deep.equal(once);
        expect(parseSettings(JSON.parse(JSON.stringify(once)))).to.deep.equal(once);
      }),
      { numRuns: RUNS / 50 },
    );
  });

  it("accepts nothing that the published schema refuses", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(true, "ab", [], {}, { mode: "all" }));
    const key = fc.constantFrom("enabled", "endpoints", "expiresAt", "domains", "ips", "channels", "z");
    const damaged = fc
      .tuple(goodSettings, key, value)
      .map(([settings, at, put]) => ({ ...settings, [at]: put }));
    fc.assert(
      fc.property(damaged, (input) => {
        if (parseOrNull(input) !== null) expect(Value.Check(settingsSchema, input)).to.equal(true);
      }),
      { numRuns: RUNS / 20 },
    );
  });

  it("answers every request with a decision that explain agrees with", () => {
    let allowed = 0;
    fc.assert(
      fc.property(goodSettings, anyRequest, now, (settings, places, time) => {
        const asked = bringToLife(places);
        const at = bringToLife(time);
        const policy = compilePolicy(settings);
        const decision = decide(policy, untyped(asked), untyped(at));
        const checks = explain(policy, untyped(asked), untyped(at));
        expect(checks.every((check) => check.passed)).to.equal(decision.allowed);
        for (const check of checks) expect(check.message.length).to.be.within(1, 2500);
        if (decision.allowed) {
          allowed += 1;
        } else {
          expect(decision.message.length).to.be.within(1, 1000);
          expect(decision.status).to.be.oneOf([401, 403]);
        }
      }),
      { numRuns: RUNS / 5 },
    );
    expect(allowed).to.be.greaterThan(RUNS / 250);
  });

  it("denies with a policy that it did not make", () => {
    for (const thing of hostileThings()) {
      const asked = { action: "connect" as const, ip: null };
      expect(decide(untyped(thing), asked, 0).allowed).to.equal(false);
      expect(explain(untyped(thing), asked, 0).every((check) => check.passed)).to.equal(false);
    }
  });

  it("gives an address or none for every peer", () => {
    const headers = fc.oneof(
      fc.dictionary(fc.constantFrom("x-forwarded-for", "forwarded", "x-real-ip"), part),
      part,
    );
    const peer = fc.oneof(fc.record({ remoteAddress: fc.oneof(addressText, part), headers }), hostile);
    const trust = fc.oneof(
      fc.record({
        proxies: fc.array(networkText, { maxLength: 2 }),
        header: fc.constantFrom("forwarded", "x-real-ip", undefined),
      }),
      fc.record({ proxies: fc.oneof(fc.constant(["0.0.0.0/0", "::/0"]), part), header: part }),
      hostile,
    );
    fc.assert(
      fc.property(peer, trust, (places, trustPlaces) => {
        const given = bringToLife(places);
        const trusted = bringToLife(trustPlaces);
        const address = clientAddress(untyped(given), untyped(trusted));
        expect(address === null || normalizeAddress(address) === address).to.equal(true);
        try {
          createAddressResolver(untyped(trusted))(untyped(given));
        } catch (error) {
          expect(error).to.be.instanceOf(PolicyError);
        }
      }),
      { numRuns: RUNS / 4 },
    );
  });

  it("gives an origin or none for every request", () => {
    fc.assert(
      fc.property(fc.oneof(fc.record({ method: part, headers: part }), hostile), part, (places, place) => {
        const given = bringToLife(places);
        const own = bringToLife(place);
        expect(() => requestOrigin(untyped(given), untyped(own))).to.not.throw();
        expect(() => addressGroup(untyped(own))).to.not.throw();
      }),
      { numRuns: RUNS / 10 },
    );
  });

  it("takes a megabyte of anything in its stride", () => {
    const trust = { proxies: ["0.0.0.0/0", "::/0"] };
    const length = Math.min(1_000_000, RUNS * 100);
    for (const unit of [
      ",",
      "1.2.3.4,",
      ";",
      '"',
      '\\"',
      '",',
      "for=1.2.3.4,",
      'for="\\',
      ":",
      "[",
      "a.",
      "*.",
    ]) {
      const text = unit.repeat(length / unit.length);
      for (const header of ["x-forwarded-for", "forwarded", "x-real-ip"] as const) {
        const peer = { remoteAddress: "10.0.0.1", headers: { [header]: text } };
        clientAddress(peer, { ...trust, header });
      }
      const policy = compilePolicy({
        name: "big",
        allowRealtime: true,
        domains: { mode: "specified", list: origins },
        ips: { mode: "specified", list: networks },
      });
      const asked = { action: "join" as const, origin: text, ip: text, channel: text };
      expect(decide(policy, asked, 0).allowed).to.equal(false);
      explain(policy, asked, 0);
      expect(parseOrNull({ name: text, domains: { mode: "specified", list: [text] } })).to.equal(null);
    }
  });
});
