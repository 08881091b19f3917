import { expect } from "chai";
import { type Static, Type } from "typebox";
import {
  canonicalOrigin,
  checkEndpointEntries,
  clientAddress,
  compilePolicy,
  compileStored,
  decide,
  explain,
  normalizeAddress,
  normalizedSettingsSchema,
  PolicyError,
  parseSettings,
  requestOrigin,
  schemaOf,
  settingsSchema,
  upgradeStored,
} from "../../src/policy/index.ts";
import { readVectors, show, untyped } from "./vectors.ts";

const now = Date.UTC(2026, 10, 23);
const source = Type.String({ minLength: 1 });
const strict = { additionalProperties: false } as const;
const texts = Type.Array(Type.String());

/** An entry of a list: the canonical text that is kept, or a part of the fault's message. */
const entryRow = Type.Union([
  Type.Object({ entry: Type.String(), text: Type.String(), source }, strict),
  Type.Object({ entry: Type.String(), fault: Type.String(), source }, strict),
]);

function faultsOf(input: unknown): readonly { pointer: string; message: string }[] {
  try {
    parseSettings(input);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.faults;
    throw error;
  }
}

function describeEntries(file: string, field: "domains" | "ips" | "endpoints", mode: string): void {
  describe(`the vectors of ${file}`, () => {
    for (const vector of readVectors(file, entryRow)) {
      it(`${"text" in vector ? "keeps" : "refuses"} ${show(vector.entry)}: ${vector.source}`, () => {
        const input = { name: "vector", [field]: { mode, list: [vector.entry] } };
        if ("text" in vector) {
          expect(parseSettings(input)[field].list).to.deep.equal([vector.text]);
          return;
        }
        const faults = faultsOf(input);
        expect(faults.map((fault) => fault.pointer)).to.deep.equal([`/${field}/list/0`]);
        expect(faults[0]?.message).to.include(vector.fault);
      });
    }
  });
}

/** Decide and explain together: all checks pass exactly when the decision allows. */
function codeOf(settings: unknown, request: unknown, at: number): string | null {
  const policy = compilePolicy(settings);
  const decision = decide(policy, untyped(request), at);
  const checks = explain(policy, untyped(request), at);
  expect(checks.every((check) => check.passed)).to.equal(decision.allowed);
  return decision.allowed ? null : decision.code;
}

describeEntries("origin-rules", "domains", "specified");
describeEntries("network-entries", "ips", "specified");
describeEntries("endpoint-entries", "endpoints", "custom-allowed");

describe("the vectors of origin-matches", () => {
  const row = Type.Object({ rules: texts, origin: Type.Unknown(), allowed: Type.Boolean(), source }, strict);
  for (const vector of readVectors("origin-matches", row)) {
    const verb = vector.allowed ? "lets" : "keeps out";
    it(`${verb} ${show(vector.origin)} under ${show(vector.rules)}: ${vector.source}`, () => {
      const settings = {
        name: "vector",
        allowRealtime: true,
        domains: { mode: "specified", list: vector.rules },
      };
      const origin = vector.origin === null ? undefined : vector.origin;
      const code = codeOf(settings, { action: "connect", ip: null, origin }, now);
      const denial = origin === undefined ? "missing_request_origin" : "domain_not_authorized";
      expect(code).to.equal(vector.allowed ? null : denial);
    });
  }
});

describe("the vectors of canonical-origins", () => {
  const canonical = Type.Union([Type.String(), Type.Null()]);
  const row = Type.Object({ text: Type.Unknown(), canonical, source }, strict);
  for (const vector of readVectors("canonical-origins", row)) {
    it(`reads ${show(vector.text)} as ${show(vector.canonical ?? "no origin")}: ${vector.source}`, () => {
      expect(canonicalOrigin(untyped(vector.text))).to.equal(vector.canonical);
    });
  }
});

describe("the vectors of addresses", () => {
  const canonical = Type.Union([Type.String(), Type.Null()]);
  const row = Type.Object({ text: Type.String(), canonical, source }, strict);
  for (const vector of readVectors("addresses", row)) {
    it(`reads ${show(vector.text)} as ${vector.canonical ?? "no address"}: ${vector.source}`, () => {
      expect(normalizeAddress(vector.text)).to.equal(vector.canonical);
      expect(clientAddress({ remoteAddress: vector.text, headers: {} }, { proxies: [] })).to.equal(
        vector.text.includes("%") ? normalizeAddress(vector.text.split("%")[0] ?? "") : vector.canonical,
      );
    });
  }
});

describe("the vectors of network-matches", () => {
  const row = Type.Object({ rules: texts, ip: Type.Unknown(), result: Type.String(), source }, strict);
  for (const vector of readVectors("network-matches", row)) {
    it(`answers ${vector.result} to ${show(vector.ip)} under ${show(vector.rules)}: ${vector.source}`, () => {
      const settings = {
        name: "vector",
        allowRealtime: true,
        ips: { mode: "specified", list: vector.rules },
      };
      const code = codeOf(settings, { action: "connect", ip: vector.ip }, now);
      expect(code ?? "allowed").to.equal(vector.result);
    });
  }
});

describe("the vectors of client-addresses", () => {
  const nullable = Type.Union([Type.String(), Type.Null()]);
  const row = Type.Object(
    {
      peer: nullable,
      headers: Type.Record(Type.String(), Type.Unknown()),
      proxies: texts,
      header: Type.Optional(Type.String()),
      address: nullable,
      source,
    },
    strict,
  );
  for (const vector of readVectors("client-addresses", row)) {
    const title = `finds ${vector.address ?? "no address"} behind ${vector.peer} with ${show(vector.headers)}`;
    it(`${title}: ${vector.source}`, () => {
      const trust = { proxies: vector.proxies, header: vector.header };
      const peer = { remoteAddress: vector.peer, headers: vector.headers };
      expect(clientAddress(untyped(peer), untyped(trust))).to.equal(vector.address);
    });
  }
});

describe("the vectors of request-origins", () => {
  const row = Type.Object(
    {
      method: Type.String(),
      headers: Type.Record(Type.String(), Type.Unknown()),
      origin: Type.Union([Type.String(), Type.Null()]),
      source,
    },
    strict,
  );
  for (const vector of readVectors("request-origins", row)) {
    it(`gives ${vector.method} with ${show(vector.headers)} the origin ${vector.origin}: ${vector.source}`, () => {
      const origin = requestOrigin(untyped(vector), "https://gateway.example");
      expect(origin ?? null).to.equal(vector.origin);
    });
  }
});

describe("a request of the server's own page, where it has several public origins", () => {
  const origins = [
    "https://a.example",
    "https://b.example:8443",
    "http://localhost:8080",
    "http://127.0.0.1:8080",
  ];
  const cases: readonly (readonly [host: string | undefined, origin: string | null])[] = [
    ["a.example", "https://a.example"],
    ["b.example:8443", "https://b.example:8443"],
    ["b.example", null],
    ["localhost:8080", "http://localhost:8080"],
    ["127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["127.0.0.1:9090", null],
    ["[::1]:8080", null],
    ["c.example", null],
    [undefined, null],
  ];
  for (const [host, origin] of cases) {
    it(`has the origin ${origin} with the Host ${host}`, () => {
      const headers = { "sec-fetch-site": "same-origin", host };
      expect(requestOrigin({ method: "GET", headers }, origins) ?? null).to.equal(origin);
      expect(requestOrigin({ method: "POST", headers }, origins)).to.equal(undefined);
    });
  }
});

describe("the vectors of endpoints", () => {
  const row = Type.Object(
    { mode: Type.String(), list: texts, endpoint: Type.Unknown(), allowed: Type.Boolean(), source },
    strict,
  );
  for (const vector of readVectors("endpoints", row)) {
    const verb = vector.allowed ? "opens" : "closes";
    it(`${verb} ${show(vector.endpoint)} under ${vector.mode} ${show(vector.list)}: ${vector.source}`, () => {
      const settings = { name: "vector", endpoints: { mode: vector.mode, list: vector.list } };
      const request = { action: "endpoint", ip: null, endpoint: vector.endpoint };
      expect(codeOf(settings, request, now)).to.equal(vector.allowed ? null : "endpoint_not_allowed");
    });
  }
});

describe("the vectors of endpoint-checks", () => {
  const endpoint = Type.Object({ id: Type.String(), method: Type.String(), path: Type.String() }, strict);
  const row = Type.Object(
    {
      mode: Type.String(),
      list: texts,
      declared: Type.Array(endpoint),
      faults: texts,
      warnings: texts,
      source,
    },
    strict,
  );
  for (const vector of readVectors("endpoint-checks", row)) {
    it(`compares ${vector.mode} ${show(vector.list)} with what is declared: ${vector.source}`, () => {
      const settings = parseSettings({
        name: "vector",
        endpoints: { mode: vector.mode, list: vector.list },
      });
      const { faults, warnings } = checkEndpointEntries(settings, vector.declared);
      expect(faults.map((one) => one.pointer)).to.deep.equal(vector.faults);
      expect(warnings.map((one) => one.pointer)).to.deep.equal(vector.warnings);
      for (const fault of faults) expect(fault.message).to.include("declare it as an endpoint");
      for (const { message } of warnings) {
        expect(message).to.match(
          /^no declared endpoint is ".+": it has no effect yet$|: declare it as an endpoint$/,
        );
      }
    });
  }
});

describe("the vectors of channels", () => {
  const row = Type.Object(
    {
      rules: Type.Unknown(),
      action: Type.String(),
      channel: Type.Unknown(),
      allowed: Type.Boolean(),
      source,
    },
    strict,
  );
  for (const vector of readVectors("channels", row)) {
    const verb = vector.allowed ? "grants" : "refuses";
    it(`${verb} ${vector.action} on ${show(vector.channel)} under ${show(vector.rules)}: ${vector.source}`, () => {
      const channels = vector.rules === null ? undefined : vector.rules;
      const request = { action: vector.action, ip: null, channel: vector.channel ?? undefined };
      const code = codeOf({ name: "vector", allowRealtime: true, channels }, request, now);
      expect(code).to.equal(vector.allowed ? null : "channel_not_allowed");
    });
  }
});

describe("the vectors of channel-patterns", () => {
  const row = Type.Object({ pattern: Type.String(), accepted: Type.Boolean(), source }, strict);
  for (const vector of readVectors("channel-patterns", row)) {
    it(`${vector.accepted ? "keeps" : "refuses"} ${show(vector.pattern)}: ${vector.source}`, () => {
      const faults = faultsOf({
        name: "vector",
        channels: [{ pattern: vector.pattern, actions: ["join"] }],
      });
      expect(faults.map((one) => one.pointer)).to.deep.equal(vector.accepted ? [] : ["/channels/0/pattern"]);
    });
  }
});

describe("the vectors of instants", () => {
  const row = Type.Union([
    Type.Object({ text: Type.Unknown(), instant: Type.Union([Type.String(), Type.Null()]), source }, strict),
    Type.Object({ text: Type.Unknown(), fault: Type.Literal(true), source }, strict),
  ]);
  for (const vector of readVectors("instants", row)) {
    const expected = "fault" in vector ? "no instant" : vector.instant;
    it(`reads ${show(vector.text)} as ${expected}: ${vector.source}`, () => {
      const input = { name: "vector", expiresAt: vector.text };
      if ("fault" in vector) {
        expect(faultsOf(input).map((one) => one.pointer)).to.deep.equal(["/expiresAt"]);
      } else {
        expect(parseSettings(input).expiresAt).to.equal(vector.instant);
      }
    });
  }
});

describe("the vectors of decisions", () => {
  const row = Type.Object(
    {
      settings: Type.Record(Type.String(), Type.Unknown()),
      request: Type.Unknown(),
      now: Type.String(),
      code: Type.Union([Type.String(), Type.Null()]),
      source,
    },
    strict,
  );
  for (const vector of readVectors("decisions", row)) {
    it(`decides ${vector.code ?? "allowed"}: ${vector.source}; ${titleOf(vector)}`, () => {
      const parsed = Date.parse(vector.now);
      const at = Number.isNaN(parsed) ? Number(vector.now) : parsed;
      expect(codeOf(vector.settings, vector.request, at)).to.equal(vector.code);
    });
  }

  function titleOf(vector: Static<typeof row>): string {
    const { name: _, ...settings } = vector.settings;
    return `${show(settings)} at ${vector.now}, ${show(vector.request)}`;
  }
});

describe("the vectors of settings", () => {
  const row = Type.Object({ input: Type.Unknown(), pointers: texts, source }, strict);
  for (const vector of readVectors("settings", row)) {
    const verb = vector.pointers.length === 0 ? "accepts" : `names ${vector.pointers.join(" ")} in`;
    it(`${verb} ${show(vector.input)}: ${vector.source}`, () => {
      expect(faultsOf(vector.input).map((one) => one.pointer)).to.have.members(vector.pointers);
    });
  }
});

describe("the vectors of fault-messages", () => {
  const fault = Type.Object({ pointer: Type.String(), message: Type.String() }, strict);
  const row = Type.Object({ input: Type.Unknown(), faults: Type.Array(fault), source }, strict);
  for (const vector of readVectors("fault-messages", row)) {
    const verb = vector.faults.length === 0 ? "accepts" : "tells how to mend";
    it(`${verb} ${show(vector.input)}: ${vector.source}`, () => {
      expect(faultsOf(vector.input)).to.deep.equal(vector.faults);
    });
  }
});

describe("the vectors of messages", () => {
  const row = Type.Object(
    {
      settings: Type.Record(Type.String(), Type.Unknown()),
      request: Type.Unknown(),
      now: Type.String(),
      denial: Type.Union([Type.String(), Type.Null()]),
      checks: texts,
      source,
    },
    strict,
  );
  for (const vector of readVectors("messages", row)) {
    it(`says ${show(vector.denial)} and explains: ${vector.source}`, () => {
      const policy = compilePolicy(vector.settings);
      const at = vector.now === "NaN" ? Number.NaN : Date.parse(vector.now);
      const decision = decide(policy, untyped(vector.request), at);
      expect(decision.allowed ? null : decision.message).to.equal(vector.denial);
      const checks = explain(policy, untyped(vector.request), at);
      expect(checks.map((one) => `${one.check} ${one.passed ? "+" : "-"} ${one.message}`)).to.deep.equal(
        vector.checks,
      );
    });
  }
});

describe("the vectors of stored-settings", () => {
  const settings = Type.Record(Type.String(), Type.Unknown());
  const schema = Type.Union([Type.Literal(1), Type.Literal(2)]);
  const row = Type.Object(
    { settings, schema, broadcastTo: Type.String(), written: Type.Integer(), source },
    strict,
  );
  for (const vector of readVectors("stored-settings", row)) {
    const { broadcastTo, written } = vector;
    const title = `reads ${show(vector.settings)} of schema ${vector.schema} as for ${broadcastTo}`;
    it(`${title}, and writes schema ${written}: ${vector.source}`, () => {
      const upgraded = upgradeStored(vector.settings, vector.schema);
      expect(compileStored(upgraded)).to.include({ broadcastTo }).and.has.property("faults").empty;
      expect(schemaOf(upgraded)).to.equal(written);
      expect(upgradeStored(upgraded, written === 1 ? 1 : 2)).to.deep.equal(upgraded);
      expect(schemaOf(compileStored(upgraded).settings)).to.equal(written);
    });
  }
});

describe("the vectors of settings-schema", () => {
  const row = Type.Object({ name: Type.String(), schema: Type.Unknown() }, strict);
  const published = { Settings: settingsSchema, NormalizedSettings: normalizedSettingsSchema };
  for (const vector of readVectors("settings-schema", row)) {
    it(`are the published ${vector.name}`, () => {
      const schema: unknown = Reflect.get(published, vector.name);
      expect(JSON.parse(JSON.stringify(schema))).to.deep.equal(vector.schema);
    });
  }
});
