import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import fc from "fast-check";
import { Arrivals, MemberList } from "../../../src/channels/broker/member-list.ts";
import { RUNS } from "../../policy/runs.ts";

describe("a channel's members", () => {
  const member = (id: string, data: unknown = null) => ({ id, clientId: id, data });
  const listOf = (ids: readonly string[]): MemberList => {
    const list = new MemberList(new Arrivals(1_000));
    for (const id of ids) list.set(member(id));
    return list;
  };
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);

  it("are listed to an end although others come faster than the pages are read", () => {
    const list = listOf(numbered(10));
    const listed: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = list.page({ limit: 3, after });
      listed.push(...page.members.map(({ id }) => id));
      after = page.next ?? undefined;
      pages += 1;
      for (let i = 0; i < 5; i += 1) list.set(member(`late${pages}-${i}`));
    } while (after !== undefined && pages < 100);
    expect(listed).to.deep.equal(numbered(10));
  });

  it("are listed once although they leave and come again meanwhile", () => {
    const list = listOf(["a", "b", "c", "d"]);
    const first = list.page({ limit: 2 });
    list.delete("a");
    list.set(member("a"));
    const rest = list.page({ limit: 100, after: first.next ?? "" });
    expect(rest.members.map(({ id }) => id)).to.deep.equal(["c", "d"]);
    expect(rest.next).to.equal(null);
  });

  it("leave nothing of their profiles behind", async () => {
    const list = listOf(["a", "b", "c", "d", "e"]);
    const gone = (): WeakRef<object> => {
      const data = { text: "of somebody who is gone" };
      list.set(member("gone", data));
      list.delete("gone");
      return new WeakRef(data);
    };
    const profile = gone();
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    // What a WeakRef was made of in this turn is kept until it ends.
    await new Promise((resolve) => setImmediate(resolve));
    if (typeof collect === "function") collect();
    expect(profile.deref()).to.equal(undefined);
    expect(list.page({ limit: 10 }).members.length).to.equal(5);
  });

  it("are in fewer to a page where their profiles are large", () => {
    const list = listOf([]);
    for (const id of numbered(300)) list.set(member(id, "x".repeat(16_000)));
    const first = list.page({ limit: 1_000 });
    expect(Buffer.byteLength(JSON.stringify(first))).to.be.below(1024 * 1024);
    let listed = first.members.length;
    for (let { next } = first; next !== null; ) {
      const page = list.page({ limit: 1_000, after: next });
      expect(page.members.length).to.be.above(0);
      listed += page.members.length;
      next = page.next;
    }
    expect(listed).to.equal(300);
  });

  it("are listed from the beginning by what is no cursor, or one of an earlier process", () => {
    const list = listOf(["a"]);
    const earlier = new MemberList(new Arrivals(1));
    for (const id of ["x", "y"]) earlier.set(member(id));
    const old = earlier.page({ limit: 1 }).next ?? "";
    expect(old).to.not.equal("");
    for (const after of [old, "", "a", "-1", "1e3", "NaN", "0-Infinity"]) {
      expect(list.page({ limit: 10, after }).members.length, after).to.equal(1);
    }
  });

  it("are there exactly once, each who stayed throughout, whatever comes and goes between pages", () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 30 }), joins: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.array(step, { maxLength: 20 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        (before, between, limit) => {
          const list = listOf([]);
          const here = new Set<string>();
          const stayed = new Set<string>();
          const apply = (steps: typeof before): void => {
            for (const { id, joins } of steps) {
              if (joins) {
                list.set(member(`m${id}`));
                here.add(`m${id}`);
              } else {
                list.delete(`m${id}`);
                here.delete(`m${id}`);
                stayed.delete(`m${id}`);
              }
            }
          };
          apply(before);
          for (const id of here) stayed.add(id);
          const listed: string[] = [];
          let after: string | undefined;
          for (let page = 0; ; page += 1) {
            const { members, count, next } = list.page({ limit, after });
            expect(count).to.equal(here.size);
            expect(members.length).to.be.at.most(limit);
            listed.push(...members.map(({ id }) => id));
            if (next === null) break;
            expect(members.length).to.be.above(0);
            after = next;
            apply(between[page] ?? []);
          }
          expect(new Set(listed).size).to.equal(listed.length);
          expect(listed).to.include.members([...stayed]);
        },
      ),
      { numRuns: RUNS / 10 },
    );
  });
});
