import { expect } from "chai";
import { InvalidCursorError, openKeyStore } from "../../src/keys/index.ts";
import { type KeyStoreFixture, rejects, turns } from "./key-store-fixture.ts";

const at = (ms: number): string => new Date(1_790_000_000_000 + ms).toISOString();

/** The part of the contract about the log. */
export function describeKeyStoreLog(fixture: KeyStoreFixture): void {
  describe("log", () => {
    const textsOf = async (limit: number): Promise<string[]> =>
      (await fixture.store.log.page({ limit })).items.map(({ text }) => text);
    const stored = (): Promise<string[]> => fixture.storage.keys("log:", { limit: 100_000 });

    it("gives entries newest first, page by page", async () => {
      expect(await fixture.store.log.page({ limit: 5 })).to.deep.equal({
        items: [],
        unreadable: [],
        next: null,
      });
      const entries = Array.from({ length: 7 }, (_, n) => ({
        at: at(n),
        text: `entry ${n} \ud800 :base64:`,
      }));
      await fixture.store.log.append(entries, { durable: true });
      const seen: { at: string; text: string }[] = [];
      const sizes: number[] = [];
      let before: string | undefined;
      do {
        const page = await fixture.store.log.page({ limit: 3, before });
        seen.push(...page.items.map((item) => ({ at: item.at, text: item.text })));
        sizes.push(page.items.length);
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(seen).to.deep.equal(entries.toReversed());
      expect(sizes).to.deep.equal([3, 3, 1]);
    });

    it("orders by instant whoever appends, and one instant by the order of appending", async () => {
      const other = await openKeyStore(fixture.storage);
      await fixture.store.log.append([{ at: at(5), text: "b" }], { durable: false });
      await other.log.append([{ at: at(9), text: "e" }], { durable: true });
      await other.log.append([{ at: at(1), text: "a" }], { durable: false });
      const same = ["c", "d"].map((text) => ({ at: at(8), text }));
      await fixture.store.log.append(same, { durable: true });
      expect(await textsOf(9)).to.deep.equal(["e", "d", "c", "b", "a"]);
      const { items } = await fixture.store.log.page({ limit: 9 });
      expect(new Set(items.map(({ id }) => id)).size).to.equal(5);
    });

    it("goes on from any entry, also one that is gone", async () => {
      await fixture.store.log.append(
        [0, 1, 2].map((n) => ({ at: at(n), text: `${n}` })),
        { durable: true },
      );
      const [, middle] = (await fixture.store.log.page({ limit: 3 })).items;
      await fixture.plant(`log:${middle?.id}`, undefined);
      const rest = await fixture.store.log.page({ limit: 3, before: middle?.id });
      expect(rest.items.map(({ text }) => text)).to.deep.equal(["0"]);
      for (const limit of [0, 1001, 1.5]) await rejects(fixture.store.log.page({ limit }), RangeError);
      for (const before of ["", "x", `${middle?.id}x`]) {
        await rejects(fixture.store.log.page({ limit: 1, before }), InvalidCursorError);
      }
    });

    it("waits for the disk only when it is asked to", async () => {
      const asked: unknown[] = [];
      const { commit } = fixture.storage;
      fixture.storage.commit = (changes, options) => {
        asked.push(options);
        return commit.call(fixture.storage, changes, options);
      };
      await fixture.store.log.append([{ at: at(0), text: "a" }], { durable: true });
      await fixture.store.log.append([{ at: at(0), text: "b" }], { durable: false });
      await fixture.store.log.append([], { durable: true });
      expect(asked).to.deep.equal([{ flushed: true }, { flushed: false }]);
    });

    it("refuses long texts and other instants, with all of the entries beside them", async () => {
      const entry = { at: at(0), text: "fine" };
      await fixture.store.log.append([{ at: at(0), text: "x".repeat(16_384) }], { durable: true });
      for (const text of ["x".repeat(16_385), "é".repeat(8193)]) {
        await rejects(fixture.store.log.append([entry, { at: at(0), text }], { durable: true }), RangeError);
      }
      for (const wrong of ["", "2026-11-23", "2026-11-23T00:00:00Z", "1969-12-31T23:59:59.999Z"]) {
        const append = fixture.store.log.append([entry, { at: wrong, text: "" }], { durable: true });
        await rejects(append, TypeError);
      }
      expect(await stored()).to.have.length(1);
    });

    it("lets the oldest go beyond its bound, a few at a time", async () => {
      await fixture.open({ maxLogEntries: 200 });
      let largest = 0;
      const { commit } = fixture.storage;
      fixture.storage.commit = (changes, options) => {
        largest = Math.max(largest, changes.length);
        return commit.call(fixture.storage, changes, options);
      };
      for (let n = 0; n < 1500; n += 3) {
        const entries = [0, 1, 2].map((more) => ({ at: at(n + more), text: `${n + more}` }));
        await fixture.store.log.append(entries, { durable: false });
      }
      await until(async () => (await stored()).length <= 204);
      const texts = await textsOf(1000);
      expect(texts.length).to.be.within(200, 204);
      expect(texts).to.deep.equal(Array.from({ length: texts.length }, (_, n) => `${1499 - n}`));
      expect(largest).to.be.below(501);
    });

    it("lets what is too much go also when nobody appends much", async () => {
      await fixture.store.log.append(
        Array.from({ length: 1200 }, (_, n) => ({ at: at(n), text: "" })),
        { durable: true },
      );
      const other = await openKeyStore(fixture.storage, { maxLogEntries: 5 });
      await other.log.append([{ at: at(2000), text: "last" }], { durable: true });
      await until(async () => (await stored()).length === 5);
      expect((await textsOf(9))[0]).to.equal("last");
    });

    it("names what it cannot read", async () => {
      await fixture.store.log.append([{ at: at(1), text: "kept" }], { durable: true });
      const damaged = "0".repeat(20);
      const newer = "1".repeat(20);
      await fixture.plant(`log:${damaged}`, "{");
      await fixture.plant(`log:${newer}`, '{"value":{"schema":2}}');
      const page = await fixture.store.log.page({ limit: 9 });
      expect(page.items.map(({ text }) => text)).to.deep.equal(["kept"]);
      expect(page.unreadable).to.deep.equal([newer, damaged]);
    });
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await turns(1);
}
