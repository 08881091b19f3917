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
    ]) {
      expect(() => limitsOf(text), text).to.throw(CommandError, "NAME=LIMIT/WINDOW");
    }
    expect(() => settingsOf({ limit: ["a=1/1s"], "no-limits": true })).to.throw(CommandError);
  });
});
