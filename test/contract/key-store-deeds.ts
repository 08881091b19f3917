import { hash } from "node:crypto";
import { expect } from "chai";
import { InvalidCursorError, openKeyStore } from "../../src/keys/index.ts";
import { toBase62 } from "../../src/keys/secret/secret.ts";
import { toRecord } from "../helpers/record.ts";
import { type KeyStoreFixture, rejects, turns } from "./key-store-fixture.ts";

const START_MS = 1_790_000_000_000;
const DAY_MS = 86_400_000;
const at = (ms: number): string => new Date(START_MS + ms).toISOString();
const idOf = (sequence: number): string => toBase62(sequence, 10);

/** The part of the contract about the chain of deeds. */
export function describeKeyStoreDeeds(fixture: KeyStoreFixture): void {
  describe("deeds", () => {
    const append = (count: number, first = 0): Promise<unknown> =>
      fixture.store.deeds.append(
        Array.from({ length: count }, (_, n) => ({ at: at(first + n), text: `deed ${first + n}` })),
      );
    const stored = async (sequence: number): Promise<Record<string, unknown>> => {
      const text = (await fixture.storage.get(`deed:${idOf(sequence)}`)) ?? "";
      return toRecord(toRecord(JSON.parse(text))["value"]);
    };
    const replant = async (sequence: number, changed: object): Promise<void> => {
      const value = { ...(await stored(sequence)), ...changed };
      await fixture.plant(`deed:${idOf(sequence)}`, JSON.stringify({ value }));
    };

    it("gives entries in the order of their appending, newest first, page by page", async () => {
      // The clock may go back: what was appended later is later in the chain.
      await fixture.store.deeds.append([{ at: at(9), text: "first" }]);
      await append(6);
      const seen: string[] = [];
      let before: string | undefined;
      do {
        const page = await fixture.store.deeds.page({ limit: 3, before });
        seen.push(...page.items.map(({ text }) => text));
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(seen).to.deep.equal([...[5, 4, 3, 2, 1, 0].map((n) => `deed ${n}`), "first"]);
      for (const limit of [0, 1001, 1.5]) await rejects(fixture.store.deeds.page({ limit }), RangeError);
      for (const wrong of ["", "x", `${idOf(1)}0`]) {
        await rejects(fixture.store.deeds.page({ limit: 1, before: wrong }), InvalidCursorError);
      }
    });

    it("chains each entry to the digest of the one before, which anybody can compute from what is stored", async () => {
      await append(3);
      let previous = "genesis";
      for (const sequence of [1, 2, 3]) {
        const entry = await stored(sequence);
        expect(entry["previous"]).to.equal(previous);
        const canonical = { sequence, at: entry["at"], text: entry["text"], previous };
        previous = hash("sha256", JSON.stringify(canonical), "hex");
      }
      expect(await fixture.store.deeds.verify()).to.deep.equal({
        intact: true,
        checked: 3,
        first: 1,
        head: { sequence: 3, digest: previous },
        broken: null,
      });
    });

    it("names the first link that does not hold, whatever was done to an entry", async () => {
      const harm: Record<string, [() => Promise<void>, number]> = {
        "a changed text": [() => replant(150, { text: "harmless" }), 151],
        "a changed instant": [() => replant(150, { at: at(1) }), 151],
        "a changed link": [() => replant(150, { previous: "0".repeat(64) }), 150],
        "a removed entry": [() => fixture.plant(`deed:${idOf(150)}`, undefined), 150],
        "a removed beginning": [() => fixture.plant(`deed:${idOf(1)}`, undefined), 1],
        "a removed end": [() => fixture.plant(`deed:${idOf(300)}`, undefined), 300],
        "a changed end": [() => replant(300, { text: "harmless" }), 300],
        "a damaged entry": [() => fixture.plant(`deed:${idOf(150)}`, "{"), 150],
      };
      for (const [what, [doIt, sequence]] of Object.entries(harm)) {
        await fixture.open();
        await append(300);
        await doIt();
        const check = await fixture.store.deeds.verify();
        expect(check.intact, what).to.equal(false);
        expect(check.broken?.sequence, what).to.equal(sequence);
        expect(check.broken?.reason, what).to.match(/\w/);
      }
    });

    it("tells a chain that was written anew from the one that was noted", async () => {
      await append(5);
      const { head } = await fixture.store.deeds.verify();
      await append(5, 5);
      expect((await fixture.store.deeds.verify(head)).intact).to.equal(true);
      await fixture.open();
      await append(4);
      expect((await fixture.store.deeds.verify(head)).broken?.reason).to.include("ends before");
      await append(9, 10);
      expect((await fixture.store.deeds.verify()).intact).to.equal(true);
      expect((await fixture.store.deeds.verify(head)).broken).to.deep.include({ sequence: 5 });
      for (const wrong of [
        { ...head, digest: "x" },
        { ...head, sequence: 0 },
      ]) {
        await rejects(fixture.store.deeds.verify(wrong), RangeError);
      }
    });

    it("says that its head cannot be read, and its entries stay readable", async () => {
      await append(2);
      await fixture.plant("deeds:head", "{");
      expect((await fixture.store.deeds.verify()).broken?.reason).to.include("head");
      expect((await fixture.store.deeds.page({ limit: 9 })).items).to.have.length(2);
    });

    it("is one chain, whoever appends to it at the same time", async () => {
      const other = await openKeyStore(fixture.storage);
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          (n % 2 === 0 ? other : fixture.store).deeds.append([{ at: at(n), text: `${n}` }]),
        ),
      );
      const check = await fixture.store.deeds.verify();
      expect(check).to.deep.include({ intact: true, checked: 60 });
      const { items } = await fixture.store.deeds.page({ limit: 100 });
      expect(new Set(items.map(({ text }) => text)).size).to.equal(60);
    });

    it("appends all of the entries or none", async () => {
      const fine = { at: at(0), text: "fine" };
      await rejects(fixture.store.deeds.append([fine, { at: at(0), text: "x".repeat(16_385) }]), RangeError);
      await rejects(fixture.store.deeds.append([fine, { at: "yesterday", text: "" }]), TypeError);
      expect((await fixture.store.deeds.page({ limit: 9 })).items).to.deep.equal([]);
    });

    it("lets old entries go by their time, keeps the last 1,000 whatever the clock says, and stays verifiable", async () => {
      let nowMs = START_MS;
      await fixture.open({ clock: () => nowMs, auditDays: 30 });
      for (let n = 0; n < 2_500; n += 500) await append(500, n);
      const { head: noted } = await fixture.store.deeds.verify();
      nowMs += 31 * DAY_MS;
      await append(1, 31 * DAY_MS);
      const keys = (): Promise<string[]> => fixture.storage.keys("deed:", { limit: 10_000 });
      await until(async () => (await keys()).length <= 1_000);
      const check = await fixture.store.deeds.verify();
      expect(check).to.deep.include({ intact: true, checked: 1_000, first: 1_502 });
      expect((await fixture.store.deeds.verify(noted)).intact).to.equal(true);
      // What is chained to the anchor cannot be changed either.
      await replant(1_502, { text: "harmless" });
      expect((await fixture.store.deeds.verify()).broken?.sequence).to.equal(1_503);
    });

    it("keeps everything with 0 days, and what is young with any", async () => {
      for (const auditDays of [0, 30]) {
        let nowMs = START_MS;
        await fixture.open({ clock: () => nowMs, auditDays });
        for (let n = 0; n < 1_500; n += 500) await append(500, n);
        nowMs += auditDays === 0 ? 9_000 * DAY_MS : 29 * DAY_MS;
        await append(1, 1_500);
        await turns(50);
        expect(await fixture.store.deeds.verify()).to.deep.include({ intact: true, checked: 1_501 });
      }
    });

    it("takes the deeds out of the log of an earlier version, once and in their order", async () => {
      const entries = Array.from({ length: 700 }, (_, n) => ({
        at: at(n),
        text: n % 3 === 0 ? `deed ${n}` : `refusal ${n}`,
      }));
      for (let n = 0; n < 700; n += 100)
        await fixture.store.log.append(entries.slice(n, n + 100), { durable: true });
      await fixture.plant(`log:${"0".repeat(20)}`, "{");
      const isDeed = (text: string): boolean => text.startsWith("deed");
      const other = await openKeyStore(fixture.storage);
      await Promise.all([fixture.store.deeds.adopt(isDeed), other.deeds.adopt(isDeed)]);
      await fixture.store.log.append([{ at: at(9_999), text: "deed in the log" }], { durable: true });
      await fixture.store.deeds.adopt(isDeed);
      const { items } = await fixture.store.deeds.page({ limit: 1_000 });
      const expected = entries.filter(({ text }) => isDeed(text)).map(({ text }) => text);
      expect(items.map(({ text }) => text).reverse()).to.deep.equal(expected);
      expect(await fixture.store.deeds.verify()).to.deep.include({ intact: true, checked: expected.length });
      expect(await fixture.storage.keys("log:", { limit: 1_000 })).to.have.length(700 - expected.length + 2);
    });
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await turns(1);
}
