import { expect } from "chai";
import fc from "fast-check";
import { judgeImported, judgeSettings } from "../../src/policy/index.ts";
import { PROPERTY_TIMEOUT_MS } from "./runs.ts";

const FILES = { id: "files", method: "GET", path: "/files/*" };
const STALE = "GET /files/secret";
const OPEN_WILDCARD = "https://*.github.io";

type Document = Record<string, unknown>;

function judge(before: Document, change: Document, isRestored = false): Document {
  return { ...judgeSettings({ ...before, ...change }, { endpoints: [FILES], before, isRestored }) };
}

const excluded = (...list: string[]): Document => ({ endpoints: { mode: "custom-excluded", list } });
const specified = (...list: string[]): Document => ({ domains: { mode: "specified", list } });

describe("a judgement of settings by what a change touches", () => {
  const stale = { name: "key", enabled: true, ...excluded(STALE, "GET /other"), ...specified(OPEN_WILDCARD) };
  const allowed: Record<string, Document> = {
    "disables the key": { enabled: false },
    "renames it": { name: "another name" },
    "excludes one more endpoint": excluded(STALE, "GET /other", "GET /third"),
    "takes an excluded endpoint out": excluded(STALE),
    "takes the stale entry out": excluded("GET /other"),
    "forbids every endpoint": { endpoints: { mode: "no-access", list: [STALE] } },
    "adds a domain": specified(OPEN_WILDCARD, "https://new.example.com"),
    "writes a stale domain in another case": specified("HTTPS://*.GitHub.io"),
    "takes the stale domain out": specified("https://new.example.com"),
  };
  for (const [what, change] of Object.entries(allowed)) {
    it(`warns of what stays as it is: ${what}`, () => {
      const judged = judge(stale, change);
      expect(judged).to.have.property("settings");
      expect(judged["warnings"]).to.be.an("array").that.is.not.empty;
    });
  }

  const refused: Record<string, [Document, string]> = {
    "a new entry under a wildcard": [excluded(STALE, "GET /files/new"), "/endpoints/list/1"],
    "a stale entry in a mode that gives it another meaning": [
      { endpoints: { mode: "custom-allowed", list: [STALE] } },
      "/endpoints/list/0",
    ],
    "a new wildcard over a public suffix": [specified(OPEN_WILDCARD, "https://*.co.uk"), "/domains/list/1"],
    "an entry that cannot be read": [specified("https://a.example.com/path"), "/domains/list/0"],
  };
  for (const [what, [change, pointer]] of Object.entries(refused)) {
    it(`refuses what the change touches: ${what}`, () => {
      const { faults } = judge(stale, change);
      const pointers = Array.isArray(faults) ? faults.map((fault: { pointer: string }) => fault.pointer) : [];
      expect(pointers).to.deep.equal([pointer]);
    });
  }

  it("refuses to use a stale list again where that gives rights, and lets it narrow", () => {
    const closed = { name: "key", endpoints: { mode: "no-access", list: [STALE] } };
    const open = { name: "key", endpoints: { mode: "full-access", list: [STALE] } };
    expect(judge(closed, excluded(STALE))).to.have.property("faults");
    expect(judge(closed, excluded(STALE), true)).to.have.property("faults");
    expect(judge(open, excluded(STALE))).to.have.property("settings");
    expect(judge(open, { endpoints: { mode: "custom-excluded", list: [STALE] } }, true)).to.have.property(
      "settings",
    );
  });

  it("puts back what was accepted once", () => {
    const now = { name: "key", ...excluded("GET /other") };
    expect(judge(now, excluded("GET /other", STALE))).to.have.property("faults");
    expect(judge(now, excluded("GET /other", STALE), true)).to.have.property("settings");
    expect(judge(now, specified(OPEN_WILDCARD), true)).to.have.property("settings");
  });

  it("keeps what it cannot read where nobody touches it, and says so", () => {
    const unread = { name: "key", enabled: true, endpoints: { mode: "of the future" }, later: { a: 1 } };
    const judged = judge(unread, { enabled: false });
    expect(judged["settings"]).to.deep.include({
      enabled: false,
      endpoints: { mode: "of the future" },
      later: { a: 1 },
    });
    expect(JSON.stringify(judged["warnings"])).to.include("/endpoints/mode").and.to.include("/later");
    expect(judge(unread, { endpoints: { mode: "another" } })).to.have.property("faults");
    expect(judge({ name: 1 }, { enabled: false })["settings"]).to.include({ name: 1, enabled: false });
  });

  it("refuses every fault of what is new, and of what is imported only what cannot be read", () => {
    const { faults } = {
      ...judgeSettings({ ...stale, later: 1 }, { endpoints: [FILES] }),
      warnings: [],
    } as Document;
    expect(faults).to.be.an("array").that.is.not.empty;
    expect(judgeImported(stale, [FILES])).to.have.property("settings");
    expect(JSON.stringify(judgeImported(stale, [FILES])))
      .to.include("/endpoints/list/0")
      .and.to.include("/domains/list/0");
    expect(judgeImported({ ...stale, later: 1 }, [FILES])).to.have.property("faults");
  });

  it("always disables, whatever is stored", function () {
    this.timeout(PROPERTY_TIMEOUT_MS);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (stored) => {
        const before = { ...stored, enabled: true };
        const judged = judgeSettings({ ...before, enabled: false }, { endpoints: [FILES], before });
        if ("name" in stored) expect(judged).to.have.property("settings");
      }),
      { numRuns: 300 },
    );
  });
});
