import { expect } from "chai";
import {
  type KeyChange,
  type KeyStorage,
  type KeyStore,
  openKeyStorage,
  openKeyStore,
  StoreUnavailableError,
  UnstoredChangeError,
} from "../../../src/keys/index.ts";
import { parseSettings } from "../../../src/policy/index.ts";
import { rejects } from "../../contract/key-store-fixture.ts";

const SETTINGS = parseSettings({ name: "key", allowRealtime: true });
const DISABLED = { ...SETTINGS, enabled: false };

describe("changes that the store does not take", () => {
  let storage: KeyStorage;
  let keys: KeyStore;
  let isFull: boolean;
  const outcomes: string[] = [];
  const told: KeyChange[] = [];
  let onOutcome: (outcome: string) => void;

  beforeEach(async () => {
    isFull = false;
    outcomes.length = 0;
    told.length = 0;
    onOutcome = () => {};
    storage = await openKeyStorage("memory:");
    const { commit } = storage;
    storage.commit = (changes, options) =>
      isFull ? Promise.reject(new Error("ENOSPC")) : commit.call(storage, changes, options);
    keys = await openKeyStore(storage, {
      onUnstored: (_id, { change }, outcome) => {
        outcomes.push(`${change} ${outcome}`);
        onOutcome(outcome);
      },
    });
    keys.subscribe((change) => told.push(change));
  });
  afterEach(() => keys.close());

  const until = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      onOutcome = (outcome) => outcome === wanted && resolve();
    });
  const fill = (): void => {
    isFull = true;
    told.length = 0;
  };

  it("are in force at once when they take rights away, and stored when it takes them", async () => {
    const { record, secret } = await keys.create(SETTINGS);
    fill();
    await rejects(
      keys.update(record.id, 1, () => DISABLED),
      UnstoredChangeError,
    );
    expect(told.map(({ type, record: now }) => [type, now?.settings["enabled"]])).to.deep.equal([
      ["updated", false],
    ]);
    expect((await keys.get(record.id))?.settings).to.deep.equal(DISABLED);
    expect((await keys.findBySecret(secret))?.settings).to.deep.equal(DISABLED);
    expect((await keys.list()).items[0]?.settings).to.deep.equal(DISABLED);
    expect(await keys.sweep([(await keys.get(record.id)) ?? record])).to.deep.equal([]);
    expect(keys.pendingWrites).to.equal(1);
    expect(keys.unstoredOf(record.id)).to.include({ change: "changed" });
    const stored = until("stored");
    isFull = false;
    await stored;
    expect(keys.pendingWrites).to.equal(0);
    expect(keys.unstoredOf(record.id)).to.equal(undefined);
    const kept = await keys.get(record.id);
    expect(kept).to.include({ version: 2 });
    expect(kept?.settings).to.deep.equal(DISABLED);
    expect(await storage.get(`key:${record.id}`)).to.include('"enabled":false');
    expect((await keys.versionOf(record.id, 1))?.settings).to.deep.equal(SETTINGS);
    expect(outcomes).to.deep.equal(["changed enforced", "changed stored"]);
  });

  it("are refused as ever when they could give rights, and nobody is told", async () => {
    const { record } = await keys.create(SETTINGS);
    fill();
    for (const write of [
      keys.update(record.id, 1, () => ({ ...SETTINGS, endpoints: { mode: "full-access", list: [] } })),
      keys.rotate(record.id, 1, { overlapUntil: new Date(Date.now() + 60_000).toISOString() }),
      keys.create(SETTINGS),
    ]) {
      expect(await rejects(write, StoreUnavailableError)).to.not.be.instanceOf(UnstoredChangeError);
    }
    expect([told, outcomes, keys.pendingWrites]).to.deep.equal([[], [], 0]);
  });

  it("end the secrets of a key that is deleted, which is deleted later", async () => {
    const { record, secret } = await keys.create(SETTINGS);
    fill();
    await rejects(keys.delete(record.id), UnstoredChangeError);
    expect(await keys.findBySecret(secret)).to.equal(undefined);
    expect((await keys.get(record.id))?.secrets).to.deep.equal([]);
    expect(await keys.update(record.id, 1, () => SETTINGS)).to.include({ ok: false, reason: "not_found" });
    const stored = until("stored");
    isFull = false;
    await stored;
    expect(await keys.get(record.id)).to.equal(undefined);
    expect((await storage.keys("", { limit: 9 })).filter((key) => !key.startsWith("store:"))).to.deep.equal(
      [],
    );
  });

  it("end the earlier secrets of a rotation without overlap", async () => {
    const { record, secret } = await keys.create(SETTINGS);
    fill();
    await rejects(keys.rotate(record.id, 1, { overlapUntil: null }), UnstoredChangeError);
    expect(await keys.findBySecret(secret)).to.equal(undefined);
    isFull = false;
    const rotated = await keys.rotate(record.id, 1, { overlapUntil: null });
    if (!rotated.ok) throw new Error(rotated.reason);
    expect((await keys.findBySecret(rotated.secret))?.secrets).to.have.length(1);
    expect(await keys.findBySecret(secret)).to.equal(undefined);
  });

  it("add up, the newest last, and the next write of the key stores all of them", async () => {
    const { record } = await keys.create(SETTINGS);
    fill();
    await rejects(
      keys.update(record.id, 1, (now) => ({ ...now, allowRealtime: false })),
      UnstoredChangeError,
    );
    const first = await keys.get(record.id);
    await rejects(
      keys.update(record.id, 1, (now) => ({ ...now, enabled: false })),
      UnstoredChangeError,
    );
    const second = await keys.get(record.id);
    expect(second?.settings).to.include({ enabled: false, allowRealtime: false });
    expect(second?.updatedAt).to.not.equal(first?.updatedAt);
    expect(keys.pendingWrites).to.equal(1);
    isFull = false;
    const result = await keys.update(record.id, 1, (now) => ({ ...now, name: "renamed" }));
    if (!result.ok) throw new Error(result.reason);
    expect(result.record.settings).to.include({ enabled: false, allowRealtime: false, name: "renamed" });
    expect(keys.pendingWrites).to.equal(0);
    expect(outcomes.at(-1)).to.equal("changed stored");
  });

  it("give way to whoever writes the key after them", async () => {
    const { record } = await keys.create(SETTINGS);
    fill();
    await rejects(
      keys.update(record.id, 1, () => DISABLED),
      UnstoredChangeError,
    );
    const overtaken = until("overtaken");
    isFull = false;
    const other = await openKeyStore(storage);
    await other.update(record.id, 1, () => ({ ...SETTINGS, name: "theirs" }));
    await overtaken;
    expect((await keys.get(record.id))?.settings).to.include({ enabled: true, name: "theirs" });
  });

  it("are tried once more at the end, and said to be lost when the store still does not take them", async () => {
    const { record } = await keys.create(SETTINGS);
    fill();
    await rejects(
      keys.update(record.id, 1, () => DISABLED),
      UnstoredChangeError,
    );
    await keys.close();
    expect(outcomes).to.deep.equal(["changed enforced", "changed lost"]);
  });

  it("are not put in force by a store that was opened for a command", async () => {
    const plain = await openKeyStore(storage);
    const { record } = await plain.create(SETTINGS);
    fill();
    const error = await rejects(plain.delete(record.id), StoreUnavailableError);
    expect(error).to.not.be.instanceOf(UnstoredChangeError);
    expect((await plain.get(record.id))?.secrets).to.have.length(1);
  });
});
