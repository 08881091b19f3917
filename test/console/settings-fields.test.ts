import { expect } from "chai";
import fc from "fast-check";
import { errorsOf, NEW_KEY, settingsOf, valuesOf } from "../../console/key/key-values.ts";
import {
  changedFields,
  compareEdits,
  isSame,
  mergedOf,
  mergePatchOf,
  unpatchableNulls,
} from "../../console/key/settings-fields.ts";
import { instantOf, wallTimeOf, zones } from "../../console/key/wall-time.ts";
import { mergePatch } from "../../src/admin/merge-patch.ts";

describe("what the console makes of two people's edits", () => {
  const base = { name: "web", allowRealtime: true, ips: { mode: "all", list: [] } };

  it("tells apart what one, the other and both have changed", () => {
    const mine = { ...base, name: "mine", allowRealtime: false };
    const theirs = { ...base, name: "theirs", ips: { mode: "specified", list: ["::1"] } };
    expect(compareEdits(base, mine, theirs)).to.deep.equal({
      mine: ["allowRealtime"],
      theirs: ["ips"],
      both: ["name"],
    });
    expect(mergedOf(mine, theirs, ["allowRealtime"])).to.deep.equal({ ...theirs, allowRealtime: false });
  });

  it("takes the same edit of both for no conflict, in whatever order the members come", () => {
    const edit = { ...base, ips: { list: ["::1"], mode: "specified" } };
    const same = { ...base, ips: { mode: "specified", list: ["::1"] } };
    expect(compareEdits(base, edit, same)).to.deep.equal({ mine: [], theirs: [], both: [] });
  });

  it("takes a field off when whoever is chosen has taken it off", () => {
    const theirs = { ...base, channels: [{ pattern: "a", actions: ["join"] }] };
    expect(mergedOf(base, theirs, ["channels"])).to.deep.equal(base);
  });

  it("names every null that no patch can write, and none that stays or is in a list", () => {
    const before = { kept: null, list: [1], deep: { kept: null }, text: "x" };
    const after = {
      kept: null,
      list: [null, { in: null }],
      deep: { kept: null, "a/b~": null },
      text: { new: null },
    };
    expect(unpatchableNulls(before, after)).to.deep.equal(["/deep/a~1b~0", "/text/new"]);
    expect(unpatchableNulls(before, { text: null })).to.deep.equal(["/text"]);
    expect(unpatchableNulls(after, before)).to.deep.equal([]);
  });

  it("writes a patch that takes off and sets members that are called like those of every object", () => {
    const named = { metadata: { toString: "a", valueOf: "b" } };
    for (const [before, after] of [
      [named, { metadata: {} }],
      [{ metadata: {} }, named],
    ] as const) {
      const sent: unknown = JSON.parse(JSON.stringify(mergePatchOf(before, after)));
      expect(isSame(mergePatch(before, sent), after)).to.equal(true);
    }
  });

  it("writes a patch that makes the one of the other unless a null is in the way, as the server applies it", () => {
    // The server takes no member of this name.
    const value = fc.jsonValue({ maxDepth: 2 }).filter((one) => !JSON.stringify(one).includes('"__proto__"'));
    const document = fc.dictionary(fc.constantFrom("name", "metadata", "ips", "channels", "x"), value);
    fc.assert(
      fc.property(document, document, (before, after) => {
        const isWhole = unpatchableNulls(before, after).length === 0;
        expect(isSame(mergePatch(before, mergePatchOf(before, after)), after)).to.equal(isWhole);
        expect(changedFields(before, after).toSorted()).to.deep.equal(
          Object.keys(mergePatchOf(before, after)).toSorted(),
        );
      }),
    );
  });
});

describe("the console's form of a key", () => {
  it("gives back the settings that it was given", () => {
    const settings = {
      ...NEW_KEY,
      name: "web",
      channels: [{ pattern: "chat:*", actions: ["join"] }],
      limits: [
        { name: "burst", limit: 5, windowSeconds: 1, per: "key" },
        { name: "arrivals", limit: 5, windowSeconds: 1, per: "key", kind: "joins" },
      ],
      metadata: { team: "web" },
    };
    expect(settingsOf(valuesOf(settings))).to.deep.equal(settings);
    const loud = { ...settings, broadcastTo: "everyone" };
    expect(settingsOf(valuesOf(loud))).to.deep.equal(loud);
    expect(settingsOf(valuesOf(NEW_KEY))).to.deep.equal(NEW_KEY);
  });

  it("finds the field of every pointer", () => {
    const message = "is wrong";
    const faults = [
      "/domains/list/3",
      "/channels/0/pattern",
      "/channels/1/actions/0",
      "/metadata/a",
      "",
      "/ips",
    ];
    expect(errorsOf(faults.map((pointer) => ({ pointer, message })))).to.deep.equal({
      "domains.list.3.text": message,
      "channels.list.0.pattern": message,
      "channels.list.1.actions": message,
      metadata: message,
      name: message,
      ips: message,
    });
  });
});

describe("an instant as a clock on the wall", () => {
  it("is the same instant when it is read back, in every zone", () => {
    const at = fc
      .integer({ min: Date.UTC(1980, 0), max: Date.UTC(2100, 0) })
      .map((ms) => Math.floor(ms / 1000) * 1000);
    fc.assert(
      fc.property(at, fc.constantFrom(...zones()), (atMs, zone) => {
        // An hour that comes twice has two instants: the clock shows the same for both.
        const wall = wallTimeOf(atMs, zone);
        expect(wallTimeOf(instantOf(wall, zone), zone)).to.equal(wall);
      }),
    );
  });

  it("knows summer time", () => {
    expect(new Date(instantOf("2027-07-01T00:00", "Europe/Berlin")).toISOString()).to.equal(
      "2027-06-30T22:00:00.000Z",
    );
    expect(new Date(instantOf("2027-01-31T00:00", "Europe/Berlin")).toISOString()).to.equal(
      "2027-01-30T23:00:00.000Z",
    );
    expect(wallTimeOf(Date.parse("2027-01-31T00:00:05Z"), "UTC")).to.equal("2027-01-31T00:00:05");
  });
});
