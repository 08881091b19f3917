import { expect } from "chai";
import { type DeniedRequest, RecentDenials } from "../../src/observe/recent-denials.ts";

describe("recent denials", () => {
  let nowMs = 1_000;
  let denials: RecentDenials;
  beforeEach(() => {
    denials = new RecentDenials(() => nowMs);
  });

  const denied = (changes: Partial<DeniedRequest> = {}): DeniedRequest => ({
    code: "domain_not_authorized",
    message: "add it",
    keyId: "key_a",
    keyName: "a",
    action: "connect",
    origin: "https://a.example",
    ip: "127.0.0.1",
    ...changes,
  });
  const all = (keyId?: string) => denials.list({ keyId, limit: 10_000 });

  it("counts those that look the same", () => {
    denials.note(denied());
    nowMs += 5_000;
    denials.note(denied());
    denials.note(denied({ origin: "https://b.example" }));
    expect(all().map(({ origin, count }) => [origin, count])).to.deep.equal([
      ["https://b.example", 1],
      ["https://a.example", 2],
    ]);
    expect(Date.parse(all()[1]?.at ?? "") - Date.parse(all()[1]?.firstAt ?? "")).to.equal(5_000);
  });

  it("keeps one key's refusals apart from a flood of another's", () => {
    denials.note(denied());
    for (let i = 0; i < 100_000; i += 1) {
      denials.note(denied({ keyId: null, code: "invalid_api_key", origin: `https://${i}.example` }));
    }
    expect(all("key_a")).to.have.length(1);
    expect(all()).to.have.length(51);
    expect(all()[0]?.origin).to.equal("https://99999.example");
  });

  it("is bounded however many keys and codes there are", () => {
    for (let i = 0; i < 5_000; i += 1) denials.note(denied({ keyId: `key_${i}` }));
    expect(all()).to.have.length(2_000);
    expect(all()[0]?.keyId).to.equal("key_4999");
  });

  it("cuts what a client may have made long", () => {
    denials.note(denied({ origin: "x".repeat(10_000), channel: "y".repeat(10_000) }));
    expect(JSON.stringify(all()).length).to.be.below(1_500);
  });

  it("hands out what is new once, and not all of a flood", () => {
    for (let i = 0; i < 500; i += 1) denials.note(denied({ keyId: `key_${i}` }));
    expect(denials.takeChanged()).to.have.length(50);
    expect(denials.takeChanged()).to.deep.equal([]);
    denials.note(denied({ keyId: "key_3" }));
    expect(denials.takeChanged().map(({ keyId, count }) => [keyId, count])).to.deep.equal([["key_3", 2]]);
  });
});
