import { expect } from "chai";
import {
  createSecret,
  DuplicateSecretError,
  digestOf,
  InvalidSecretError,
  type KeyChange,
  type KeyRecord,
  openKeyStore,
} from "../../src/keys/index.ts";
import { IMPORTED, type KeyStoreFixture, rejects } from "./key-store-fixture.ts";

const START = Date.parse("2026-11-23T00:00:00.000Z");
const HOUR_MS = 3_600_000;

/** The part of the contract about the secrets of a key and how they follow each other. */
export function describeKeyStoreRotation(fixture: KeyStoreFixture): void {
  describe("rotate", () => {
    let now = START;
    beforeEach(() => {
      now = START;
      return fixture.open({ clock: () => now });
    });

    const inMs = (ms: number): string => new Date(START + ms).toISOString();
    const digestsStored = async (): Promise<string[]> =>
      (await fixture.storage.keys("secret:", { limit: 100 })).map((key) => key.slice("secret:".length));
    const rotated = async (record: KeyRecord, overlapUntil: string | null, secret?: string) => {
      const result = await fixture.store.rotate(record.id, record.version, { overlapUntil, secret });
      if (!result.ok) throw new Error(result.reason);
      return result;
    };

    it("adds a secret before the others, which end with the overlap; settings stay as they are", async () => {
      const settings = { name: "a", expiresAt: "2027-01-01T00:00:00Z" };
      const { record, secret } = await fixture.store.create(settings);
      const told: KeyChange[] = [];
      fixture.store.subscribe((change) => told.push(change));
      now += 1000;
      const result = await rotated(record, inMs(HOUR_MS));
      expect(result.secret)
        .to.match(/^slc_\w{38}$/)
        .and.not.equal(secret);
      expect(result.record).to.deep.equal({
        ...record,
        version: 2,
        updatedAt: inMs(1000),
        secrets: [
          { digest: digestOf(result.secret), hint: `${result.secret.slice(0, 8)}…`, validUntil: null },
          { ...record.secrets[0], validUntil: inMs(HOUR_MS) },
        ],
      });
      expect(told).to.deep.equal([{ type: "updated", id: record.id, record: result.record }]);
      now = START + HOUR_MS - 1;
      expect(await fixture.store.findBySecret(secret)).to.deep.equal(result.record);
      now += 1;
      expect(await fixture.store.findBySecret(secret)).to.equal(undefined);
      expect((await fixture.store.findBySecret(result.secret))?.id).to.equal(record.id);
      expect((await fixture.store.history(record.id)).items).to.deep.equal([]);
    });

    it("ends the older secrets now without an overlap, and with one that is past", async () => {
      for (const overlapUntil of [null, inMs(0), inMs(-HOUR_MS), "2020-01-01T00:00:00+02:00"]) {
        const { record, secret } = await fixture.store.create({});
        const result = await rotated(record, overlapUntil);
        expect(result.record.secrets).to.have.length(1);
        expect(await fixture.store.findBySecret(secret)).to.equal(undefined);
        expect((await fixture.store.findBySecret(result.secret))?.id).to.equal(record.id);
        await fixture.store.delete(record.id);
      }
      expect(await digestsStored()).to.deep.equal([]);
    });

    it("takes the newest version where none is given, whoever writes meanwhile", async () => {
      const { record } = await fixture.store.create({ name: "a" });
      const other = await openKeyStore(fixture.storage);
      const [edited, ...made] = await Promise.all([
        other.update(record.id, 1, () => ({ name: "b" })),
        ...Array.from({ length: 3 }, () =>
          fixture.store.rotate(record.id, undefined, { overlapUntil: inMs(HOUR_MS) }),
        ),
      ]);
      expect(made.map(({ ok }) => ok)).to.deep.equal([true, true, true]);
      const last = await fixture.store.get(record.id);
      expect(last?.secrets.length).to.equal(4);
      expect(last?.version).to.equal(edited.ok ? 5 : 4);
      expect(last?.settings).to.deep.equal({ name: edited.ok ? "b" : "a" });
      const none = await fixture.store.rotate("key_none", undefined, { overlapUntil: null });
      expect(none).to.include({ ok: false, reason: "not_found" });
    });

    it("never moves the end of a secret further away", async () => {
      const { record, secret } = await fixture.store.create({});
      const one = await rotated(record, inMs(HOUR_MS));
      const two = await rotated(one.record, inMs(5 * HOUR_MS));
      expect(two.record.secrets.map(({ digest, validUntil }) => [digest, validUntil])).to.deep.equal([
        [digestOf(two.secret), null],
        [digestOf(one.secret), inMs(5 * HOUR_MS)],
        [digestOf(secret), inMs(HOUR_MS)],
      ]);
    });

    it("drops secrets whose time is over with every later write, and they may be used again", async () => {
      for (const write of ["update", "rotate"] as const) {
        const { record } = await fixture.store.create({}, { secret: IMPORTED });
        const one = await rotated(record, inMs(HOUR_MS));
        now = START + HOUR_MS;
        const result =
          write === "update"
            ? await fixture.store.update(record.id, 2, () => ({ name: "b" }))
            : await rotated(one.record, inMs(2 * HOUR_MS));
        if (!result.ok) throw new Error(result.reason);
        expect(result.record.secrets.map(({ digest }) => digest)).to.not.include(digestOf(IMPORTED));
        expect(await digestsStored()).to.have.members(result.record.secrets.map(({ digest }) => digest));
        await fixture.store.create({}, { secret: IMPORTED, id: "key_again" });
        await fixture.store.delete("key_again");
        await fixture.store.delete(record.id);
        now = START;
      }
    });

    it("refuses a sixth secret while five work, and allows it when they end", async () => {
      let { record } = await fixture.store.create({});
      for (let n = 1; n < 5; n += 1) record = (await rotated(record, inMs(n * HOUR_MS))).record;
      expect(record.secrets).to.have.length(5);
      expect(await fixture.store.rotate(record.id, 5, { overlapUntil: inMs(HOUR_MS) })).to.deep.equal({
        ok: false,
        reason: "too_many_secrets",
        currentVersion: 5,
      });
      expect(await fixture.store.get(record.id)).to.deep.equal(record);
      now = START + HOUR_MS;
      expect((await rotated(record, inMs(9 * HOUR_MS))).record.secrets).to.have.length(5);
      const last = await fixture.store.rotate(record.id, 6, { overlapUntil: null });
      expect(last.ok && last.record.secrets).to.have.length(1);
      expect(await digestsStored()).to.have.length(1);
    });

    it("takes a given secret, unless somebody has it or it could not be looked up", async () => {
      const { record, secret } = await fixture.store.create({});
      const other = await fixture.store.create({});
      for (const taken of [secret, other.secret]) {
        const rotation = { overlapUntil: null, secret: taken };
        await rejects(fixture.store.rotate(record.id, 1, rotation), DuplicateSecretError);
      }
      const mistyped = { overlapUntil: null, secret: `${createSecret()}x` };
      await rejects(fixture.store.rotate(record.id, 1, mistyped), InvalidSecretError);
      for (const overlapUntil of [
        "",
        "tomorrow",
        "2026-11-23",
        "2026-02-30T00:00:00Z",
        "2026-11-23T00:00:00",
      ]) {
        await rejects(fixture.store.rotate(record.id, 1, { overlapUntil }), TypeError);
      }
      expect(await fixture.store.get(record.id)).to.deep.equal(record);
      expect((await rotated(record, null, IMPORTED)).secret).to.equal(IMPORTED);
      expect((await fixture.store.findBySecret(IMPORTED))?.id).to.equal(record.id);
    });

    it("refuses a stale version and an unknown key; of many at once one wins", async () => {
      const { record } = await fixture.store.create({});
      const rotation = { overlapUntil: inMs(HOUR_MS) };
      const results = await Promise.all(
        Array.from({ length: 10 }, () => fixture.store.rotate(record.id, 1, rotation)),
      );
      expect(results.filter(({ ok }) => ok)).to.have.length(1);
      expect(await fixture.store.rotate(record.id, 1, rotation)).to.deep.equal({
        ok: false,
        reason: "version_conflict",
        currentVersion: 2,
      });
      expect(await fixture.store.rotate("key_none", 1, rotation)).to.include({ reason: "not_found" });
      expect(await digestsStored()).to.have.length(2);
    });

    it("deletes all of a key's secrets with it", async () => {
      const { record } = await fixture.store.create({});
      await rotated(record, inMs(HOUR_MS));
      await fixture.store.delete(record.id);
      expect(await fixture.storage.keys("", { limit: 9 })).to.deep.equal(["store:revision", "store:schema"]);
    });
  });
}
