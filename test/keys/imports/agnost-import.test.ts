import { expect } from "chai";
import { createSecret, openKeyStore, readAgnostKeys } from "../../../src/keys/index.ts";
import { compilePolicy, decide } from "../../../src/policy/index.ts";

const SECRET = "ak-0123456789abcdef0123456789abcdef";

/** An entry as it stands in a version document that was exported. */
const entry = {
  _id: "65f0a1b2c3d4e5f6a7b8c9d0",
  iid: "key-1",
  name: "Web frontend",
  key: SECRET,
  expiryDate: "2027-03-01T10:00:00.000Z",
  allowRealtime: true,
  type: "custom-allowed",
  allowedEndpoints: ["ep-list", "ep-create"],
  excludedEndpoints: ["ep-old"],
  domainAuthorization: "specified",
  authorizedDomains: ["app.example.com", "https://*.example.com"],
  IPAuthorization: "specified",
  authorizedIPs: ["203.0.113.7", "10.1.2.3/8"],
  createdAt: "2024-03-01T10:00:00.000Z",
  updatedAt: "2024-03-01T10:00:00.000Z",
  createdBy: "65f0a1b2c3d4e5f6a7b8c9d1",
};
const { expiryDate: _never, ...lasting } = entry;

function keysOf(document: unknown) {
  const read = readAgnostKeys(document, { allowWeak: true });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.keys;
}

function faultsOf(document: unknown) {
  const read = readAgnostKeys(document, { allowWeak: true });
  if (read.ok) throw new Error("no faults");
  return read.faults;
}

describe("Agnost import", () => {
  it("refuses a secret that can be guessed, unless it is told to take it", () => {
    const read = readAgnostKeys([lasting, { ...lasting, key: "ak-7f3b9d0c52e841a6bb04c9d2e1f08a35" }]);
    expect(read.ok ? [] : read.faults.map(({ pointer }) => pointer)).to.deep.equal(["/0/key"]);
    expect(JSON.stringify(read)).to.not.include(SECRET);
    expect(readAgnostKeys([lasting], { allowWeak: true }).ok).to.equal(true);
  });

  it("refuses a secret that no header can carry, or not as it is", () => {
    for (const key of [
      "ak-caf\u00e9-0123456789abcdef",
      "ak-\u{1f511}-0123456789abcdef",
      "ak-0123456789\n89abcdef",
      "ak-0123456789\u007f89abcdef",
      "ak-0123456789\t89abcdef",
      " ak-0123456789abcdef",
      "ak-0123456789abcdef ",
    ]) {
      const faults = faultsOf([{ ...lasting, key }]);
      expect(
        faults.map(({ pointer }) => pointer),
        JSON.stringify(key),
      ).to.deep.equal(["/0/key"]);
      expect(JSON.stringify(faults)).to.not.include("0123456789");
    }
    expect(keysOf([{ ...lasting, key: "ak 0123456789 ~!abcdef" }])).to.have.length(1);
  });

  it("reads the keys of a version document into settings, secrets kept", () => {
    const [key, ...others] = keysOf({ name: "master", realtime: { enabled: true }, apiKeys: [entry] });
    expect(others).to.deep.equal([]);
    expect(key).to.deep.equal({
      secret: SECRET,
      pointer: "/apiKeys/0",
      settings: {
        name: "Web frontend",
        enabled: true,
        allowRealtime: true,
        endpoints: { mode: "custom-allowed", list: ["ep-list", "ep-create"] },
        expiresAt: "2027-03-01T10:00:00Z",
        domains: { mode: "specified", list: ["https://app.example.com", "https://*.example.com"] },
        ips: { mode: "specified", list: ["203.0.113.7", "10.0.0.0/8"] },
        metadata: {},
      },
    });
  });

  it("takes the array itself, an expiry that is null or absent, and lists and modes that are absent", () => {
    const { domainAuthorization, authorizedDomains, IPAuthorization, authorizedIPs, ...open } = lasting;
    const keys = keysOf([
      { ...open, expiryDate: null },
      { ...lasting, key: "another", authorizedDomains: undefined, authorizedIPs: [] },
    ]);
    expect(keys.map(({ pointer }) => pointer)).to.deep.equal(["/0", "/1"]);
    expect(keys[0]?.settings).to.deep.include({
      expiresAt: null,
      domains: { mode: "all", list: [] },
      ips: { mode: "all", list: [] },
    });
    // An empty list beside "specified" lets nobody in.
    expect(keys[1]?.settings).to.deep.include({
      domains: { mode: "specified", list: [] },
      ips: { mode: "specified", list: [] },
    });
    expect(keysOf({ apiKeys: [] })).to.deep.equal([]);
  });

  it("uses the list of the type, and none of the other", () => {
    const endpointsOf = (type: string) => keysOf([{ ...lasting, type }])[0]?.settings["endpoints"];
    expect(endpointsOf("no-access")).to.deep.equal({ mode: "no-access", list: [] });
    expect(endpointsOf("full-access")).to.deep.equal({ mode: "full-access", list: [] });
    expect(endpointsOf("custom-allowed")).to.deep.equal({
      mode: "custom-allowed",
      list: ["ep-list", "ep-create"],
    });
    expect(endpointsOf("custom-excluded")).to.deep.equal({ mode: "custom-excluded", list: ["ep-old"] });
  });

  it("decides as Agnost did", () => {
    const [key] = keysOf([{ ...lasting, type: "custom-excluded" }]);
    const policy = compilePolicy(key?.settings);
    const ask = (id: string, origin: string, ip: string) =>
      decide(
        policy,
        { action: "endpoint", origin, ip, endpoint: { id, method: "GET", path: `/${id}` } },
        Date.now(),
      );
    expect(ask("ep-any", "https://app.example.com", "10.9.9.9").allowed).to.equal(true);
    expect(ask("ep-old", "https://app.example.com", "10.9.9.9")).to.include({
      code: "endpoint_not_allowed",
    });
    expect(ask("ep-any", "https://evil.example", "10.9.9.9")).to.include({ code: "domain_not_authorized" });
    expect(ask("ep-any", "https://app.example.com", "11.9.9.9")).to.include({ code: "ip_not_authorized" });
  });

  it("names every fault where it stands in the document, and imports nothing", () => {
    const faults = faultsOf({
      apiKeys: [
        entry,
        { ...entry, key: "b", name: "x", type: "all-access" },
        "text",
        { ...entry, key: "c", authorizedDomains: ["a.example", "http://"], authorizedIPs: ["10.0.0.1", 5] },
        { ...entry, key: "d", allowedEndpoints: "ep-1", excludedEndpoints: [1], expiryDate: "2024-02-30" },
        { ...entry, key: SECRET, allowRealtime: "yes", domainAuthorization: "some", IPAuthorization: null },
        { name: "no more" },
        { ...entry, key: 5, type: "custom-excluded", excludedEndpoints: ["ep-1", ""] },
        { ...entry, key: "e", domainAuthorization: undefined },
      ],
    });
    expect(faults.map(({ pointer }) => pointer).sort()).to.deep.equal(
      [
        "/apiKeys/1/name",
        "/apiKeys/1/type",
        "/apiKeys/2",
        "/apiKeys/3/authorizedDomains/1",
        "/apiKeys/3/authorizedIPs/1",
        "/apiKeys/4/allowedEndpoints",
        "/apiKeys/4/excludedEndpoints/0",
        "/apiKeys/4/expiryDate",
        "/apiKeys/5/IPAuthorization",
        "/apiKeys/5/allowRealtime",
        "/apiKeys/5/domainAuthorization",
        "/apiKeys/5/key",
        "/apiKeys/6/allowRealtime",
        "/apiKeys/6/key",
        "/apiKeys/6/type",
        "/apiKeys/7/excludedEndpoints/1",
        "/apiKeys/7/key",
        "/apiKeys/8/domainAuthorization",
      ].sort(),
    );
    for (const { pointer, message } of faults) expect(message, pointer).to.match(/\w{2,}/);
  });

  it("never shows a secret in a fault", () => {
    const mistyped = `${createSecret().slice(0, -1)}!`;
    const faults = faultsOf([
      { ...entry, key: `${SECRET} ` },
      { ...entry, key: mistyped },
      { ...entry, name: 5 },
      { ...entry, type: "x" },
    ]);
    expect(JSON.stringify(faults)).to.not.include(SECRET.slice(3)).and.not.include(mistyped.slice(8));
    expect(faults.map(({ pointer }) => pointer)).to.deep.equal([
      "/0/key",
      "/1/key",
      "/2/name",
      "/3/key",
      "/3/type",
    ]);
  });

  it("refuses what is no version document", () => {
    for (const document of [null, undefined, 5, "text", {}, { apiKeys: {} }, { version: { apiKeys: [] } }]) {
      const [fault, ...others] = faultsOf(document);
      expect(others).to.deep.equal([]);
      expect(fault?.message).to.include("apiKeys");
    }
  });

  it("ignores what is inherited, and fields of no known name", () => {
    const polluted = JSON.parse(
      `{"__proto__":{"allowRealtime":true},"name":"web","key":"k","type":"full-access"}`,
    );
    expect(faultsOf([polluted]).map(({ pointer }) => pointer)).to.deep.equal(["/0/allowRealtime"]);
    expect(keysOf([{ ...entry, constructor: 1, more: {} }])).to.have.length(1);
  });

  it("stores what it read, and finds the keys by their secrets", async () => {
    const keys = keysOf([entry, { ...entry, key: "second" }]);
    const store = await openKeyStore("memory:");
    expect((await store.createMany(keys)).ok).to.equal(true);
    expect((await store.findBySecret(SECRET))?.settings).to.deep.equal(keys[0]?.settings);
    expect((await store.findBySecret("second"))?.settings["name"]).to.equal("Web frontend");
    await store.close();
  });
});
