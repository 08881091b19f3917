import { expect } from "chai";
import { prepareFirstStart } from "../../src/admin/index.ts";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";

describe("the secrets of a first start", () => {
  let keys: KeyStore;
  beforeEach(async () => {
    keys = await openKeyStore("memory:");
  });
  afterEach(() => keys.close());

  const prepare = (options: { dev?: boolean; adminToken?: string } = {}) =>
    prepareFirstStart(keys, { dev: true, adminToken: undefined, ...options });

  it("are made anew until they were shown, and then kept", async () => {
    const failed = (await prepare()).firstStart;
    const shown = await prepare();
    const { madeAdminToken, madeDevelopmentKey } = shown.firstStart;
    expect(madeAdminToken).to.match(/^sla_/).and.to.not.equal(failed.madeAdminToken);
    expect(madeDevelopmentKey?.secret).to.match(/^slc_/);
    expect(await shown.token.matches(failed.madeAdminToken ?? "")).to.equal(undefined);
    expect(await shown.token.matches(madeAdminToken ?? "")).to.be.a("string");
    expect(await shown.noteShown()).to.deep.equal({ inForce: shown.firstStart, isAll: true });
    const { items } = await keys.list();
    expect(items.map(({ id }) => id)).to.deep.equal([madeDevelopmentKey?.id]);
    const later = await prepare();
    expect(later.firstStart).to.deep.equal({
      madeAdminToken: undefined,
      madeDevelopmentKey: undefined,
      developmentKeyId: madeDevelopmentKey?.id,
    });
    expect(await later.token.matches(madeAdminToken ?? "")).to.be.a("string");
    expect((await later.noteShown()).isAll).to.equal(true);
  });

  it("end no session when they are noted as shown", async () => {
    const first = await prepare();
    const before = await first.token.fingerprint();
    await first.noteShown();
    expect(await first.token.fingerprint()).to.equal(before);
  });

  it("leave a key alone that somebody has changed meanwhile", async () => {
    const { firstStart } = await prepare({ adminToken: "a-token-of-the-configuration" });
    const id = firstStart.madeDevelopmentKey?.id ?? "";
    const rotated = await keys.rotate(id, undefined, { overlapUntil: null });
    const again = (await prepare()).firstStart.madeDevelopmentKey;
    expect(again?.id).to.be.a("string").and.to.not.equal(id);
    expect(rotated.ok && (await keys.findBySecret(rotated.secret))?.id).to.equal(id);
  });

  it("are the last one's where two processes start at once, and the first is told", async () => {
    const [one, other] = [await prepare(), await prepare()];
    const none = { ...one.firstStart, madeAdminToken: undefined, madeDevelopmentKey: undefined };
    expect(await one.noteShown()).to.deep.equal({ inForce: none, isAll: false });
    expect((await other.noteShown()).isAll).to.equal(true);
    expect(await one.token.matches(other.firstStart.madeAdminToken ?? "")).to.be.a("string");
  });

  it("are each in force where one process made the token last and another the key", async () => {
    const [one, other] = [await prepare(), await prepare({ dev: false })];
    expect((await one.noteShown()).inForce).to.deep.equal({ ...one.firstStart, madeAdminToken: undefined });
    expect((await other.noteShown()).inForce).to.deep.equal(other.firstStart);
  });

  it("need no development key without dev, and one when it comes later", async () => {
    const plain = await prepare({ dev: false });
    expect(plain.firstStart).to.include({ madeDevelopmentKey: undefined, developmentKeyId: undefined });
    await plain.noteShown();
    const dev = await prepare();
    expect(dev.firstStart.madeAdminToken).to.equal(undefined);
    expect(dev.firstStart.madeDevelopmentKey?.secret).to.match(/^slc_/);
  });
});
