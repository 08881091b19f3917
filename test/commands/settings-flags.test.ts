import { expect } from "chai";
import { CommandError } from "../../src/commands/command-error.ts";
import { settingsOf } from "../../src/commands/settings-flags.ts";

describe("flags of a key's settings", () => {
  const limitsOf = (...limit: string[]): unknown => settingsOf({ limit })["limits"];

  it("hold limits with a unit of time, and leave out a scope that is not given", () => {
    expect(limitsOf("burst=50/1s", "m=5/2m/key", "h=6/3h/client", "d=7/4d/address")).to.deep.equal([
      { name: "burst", limit: 50, windowSeconds: 1 },
      { name: "m", limit: 5, windowSeconds: 120, per: "key" },
      { name: "h", limit: 6, windowSeconds: 10_800, per: "client" },
      { name: "d", limit: 7, windowSeconds: 345_600, per: "address" },
    ]);
    expect(settingsOf({ "no-limits": true })).to.deep.equal({ limits: [] });
    expect(settingsOf({})).to.deep.equal({});
  });

  it("hold what a limit counts, after whom it counts for or alone", () => {
    expect(limitsOf("a=1/1s/joins", "b=1/1s/key/reads", "c=1/1s/calls", "d=1/1s/user/odd")).to.deep.equal([
      { name: "a", limit: 1, windowSeconds: 1, kind: "joins" },
      { name: "b", limit: 1, windowSeconds: 1, per: "key", kind: "reads" },
      { name: "c", limit: 1, windowSeconds: 1, kind: "calls" },
      { name: "d", limit: 1, windowSeconds: 1, per: "user", kind: "odd" },
    ]);
  });

  it("hold whom broadcasts reach, which the server judges", () => {
    expect(settingsOf({ "broadcast-to": "everyone" })).to.deep.equal({ broadcastTo: "everyone" });
    expect(settingsOf({ "broadcast-to": "all" })).to.deep.equal({ broadcastTo: "all" });
  });

  it("leave to the server what is a limit but not a good one", () => {
    expect(limitsOf("a b=0/1h/user")).to.deep.equal([
      { name: "a b", limit: 0, windowSeconds: 3600, per: "user" },
    ]);
  });

  it("name what is no limit, and do not take two words for one", () => {
    for (const text of [
      "",
      "burst",
      "burst=5",
      "burst=5/10",
      "burst=-5/10s",
      "=5/1s",
      "burst=5/1w",
      "a=1/1s/",
      "a=1/1s/key/joins/more",
    ]) {
      expect(() => limitsOf(text), text).to.throw(CommandError, "NAME=LIMIT/WINDOW");
    }
    expect(() => settingsOf({ limit: ["a=1/1s"], "no-limits": true })).to.throw(CommandError);
  });
});
