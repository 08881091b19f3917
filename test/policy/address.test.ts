import { expect } from "chai";
import {
  addressGroup,
  compilePolicy,
  createAddressResolver,
  decide,
  normalizeAddress,
  PolicyError,
  requestOrigin,
} from "../../src/policy/index.ts";
import { untyped } from "./vectors.ts";

describe("an address group", () => {
  it("is the address of IPv4, mapped or not", () => {
    expect(addressGroup("203.0.113.7")).to.equal("203.0.113.7");
    expect(addressGroup("::ffff:203.0.113.7")).to.equal("203.0.113.7");
  });

  it("is the /64 of IPv6", () => {
    expect(addressGroup("2001:db8:1:2:3:4:5:6")).to.equal("2001:db8:1:2::/64");
    expect(addressGroup("2001:db8:1:2::1")).to.equal("2001:db8:1:2::/64");
    expect(addressGroup("2001:db8:1:3::1")).to.equal("2001:db8:1:3::/64");
    expect(addressGroup("::1")).to.equal("::/64");
  });

  it("is one for everything that has no address", () => {
    for (const text of [null, "", "x", "127.1", "fe80::1%eth0"]) {
      expect(addressGroup(text)).to.equal("unknown");
    }
  });
});

describe("what is no text", () => {
  it("is no address and no origin", () => {
    for (const value of [null, undefined, 7, {}]) expect(normalizeAddress(untyped(value))).to.equal(null);
    expect(requestOrigin(untyped(null), "https://gateway.example")).to.equal("null");
    const open = compilePolicy({
      name: "one",
      allowRealtime: true,
      domains: { mode: "specified", list: [] },
    });
    expect(decide(open, untyped({ action: "connect", ip: null, origin: null }), 0)).to.deep.equal(
      decide(open, { action: "connect", ip: null }, 0),
    );
  });
});

describe("an address resolver", () => {
  it("says why there is no address", () => {
    const resolve = createAddressResolver({ proxies: ["10.0.0.0/8"] });
    const forwarded = { "x-forwarded-for": "unknown" };
    expect(resolve({ remoteAddress: null, headers: {} })).to.deep.equal({ address: null, fault: "no_peer" });
    expect(resolve({ remoteAddress: "127.0.0.1", headers: forwarded }).fault).to.equal("undeclared_proxy");
    expect(resolve({ remoteAddress: "10.0.0.1", headers: forwarded }).fault).to.equal("malformed");
    expect(resolve({ remoteAddress: "10.0.0.1", headers: { "x-real-ip": "1.2.3.4" } }).fault).to.equal(
      "other_header",
    );
    expect(resolve({ remoteAddress: "10.0.0.1", headers: {} })).to.deep.equal({
      address: "10.0.0.1",
      fault: null,
    });
  });

  it("is not made of a trust with faults, and every fault is named", () => {
    const make = () => createAddressResolver({ proxies: ["10.0.0.0/8", "10/8", "proxy.example"] });
    expect(make).to.throw(PolicyError);
    try {
      make();
    } catch (error) {
      const pointers = error instanceof PolicyError ? error.faults.map((fault) => fault.pointer) : [];
      expect(pointers).to.deep.equal(["/proxies/1", "/proxies/2"]);
    }
  });

  it("names what is wrong with its trust", () => {
    const faultsOf = (trust: unknown) => {
      try {
        createAddressResolver(untyped(trust));
      } catch (error) {
        if (error instanceof PolicyError) return error.faults;
        throw error;
      }
      return [];
    };
    const proxies = {
      pointer: "/proxies",
      message: "must be an array of at most 10000 addresses and ranges",
    };
    const header = { pointer: "/header", message: "must be one of x-forwarded-for, forwarded, x-real-ip" };
    expect(faultsOf(null)).to.deep.equal([proxies]);
    expect(faultsOf({})).to.deep.equal([proxies]);
    expect(faultsOf({ proxies: "10.0.0.0/8" })).to.deep.equal([proxies]);
    expect(faultsOf({ proxies: { length: 0 } })).to.deep.equal([proxies]);
    expect(faultsOf({ proxies: new Array<string>(10_001).fill("10.0.0.1") })).to.deep.equal([proxies]);
    expect(faultsOf({ proxies: new Array<string>(10_000).fill("10.0.0.1") })).to.deep.equal([]);
    expect(faultsOf({ proxies: [], header: "X-Forwarded-For" })).to.deep.equal([header]);
    expect(faultsOf({ proxies: [" 10.0.0.1 ", 7], header: "via" })).to.deep.equal([
      { pointer: "/proxies/1", message: "must be a string" },
      header,
    ]);
  });

  it("finds nothing in what it cannot read", () => {
    const resolve = createAddressResolver({ proxies: ["10.0.0.0/8"] });
    const headers = new Proxy({}, { get: () => expect.fail("a trap of the test") });
    expect(resolve({ remoteAddress: "10.0.0.1", headers })).to.deep.equal({
      address: null,
      fault: "malformed",
    });
    expect(resolve(untyped({ remoteAddress: "10.0.0.1", headers: { "x-forwarded-for": 7 } })).fault).to.equal(
      "malformed",
    );
    expect(resolve(untyped({ remoteAddress: 7, headers: {} })).fault).to.equal("no_peer");
    expect(resolve({ remoteAddress: "x", headers: {} }).fault).to.equal("no_peer");
  });
});
