import { expect } from "chai";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";
import { Audit } from "../../src/observe/audit.ts";
import { createLogger } from "../../src/observe/log.ts";

const ACTOR = { by: "admin-token", client: "api", address: "192.0.2.1" } as const;
const DENIAL = { keyId: null, action: "connect", origin: null, ip: "192.0.2.2" } as const;

describe("the audit", () => {
  let nowMs = 1_790_000_000_000;
  let store: KeyStore;
  let audit: Audit;
  let written: string[];
  beforeEach(async () => {
    store = await openKeyStore("memory:", { maxLogEntries: 50 });
    written = [];
    const log = createLogger("warn", { write: (line: string) => written.push(line) });
    audit = new Audit(store, log, () => nowMs);
  });
  afterEach(async () => {
    await audit.close();
    await store.close();
  });
  const refusals = async (): Promise<readonly object[]> =>
    (await audit.page(1_000, undefined, { kind: "refusals" })).items;
  const deeds = async (): Promise<readonly { action: string }[]> =>
    (await audit.page(1_000, undefined, { kind: "deeds" })).items;

  it("keeps what was done, however many refusals come after it", async () => {
    await audit.record({ action: "key.deleted", actor: ACTOR, keyId: "key_1" });
    for (let n = 0; n < 400; n += 1) {
      nowMs += 11_000;
      audit.denied({ ...DENIAL, code: `code_${n}` });
      if (n % 20 === 0) await refusals();
    }
    expect((await deeds()).map(({ action }) => action)).to.deep.equal(["key.deleted"]);
    while ((await refusals()).length > 60) await new Promise((resolve) => setImmediate(resolve));
    expect(await audit.verify()).to.deep.include({ intact: true, checked: 1 });
  });

  it("takes over the log of an earlier version: deeds into the chain, refusals where they are", async () => {
    const at = new Date(nowMs - 1_000).toISOString();
    const text = (action: string): string => JSON.stringify({ action, keyId: "key_1" });
    await store.log.append(
      [
        { at, text: text("key.created") },
        { at, text: text("denied") },
        { at, text: text("key.changed") },
      ],
      { durable: true },
    );
    await audit.record({ action: "key.deleted", actor: ACTOR, keyId: "key_1" });
    expect((await deeds()).map(({ action }) => action)).to.deep.equal([
      "key.deleted",
      "key.changed",
      "key.created",
    ]);
    expect(await refusals()).to.have.length(1);
    expect(await audit.verify()).to.deep.include({ intact: true, checked: 3 });
  });

  it("notes what the admin listener refuses in the log, too, bounded, and apart from what keys are refused", async () => {
    const refused = { code: "invalid_admin_token", origin: null, endpoint: "GET /admin/v1/keys" };
    for (let n = 0; n < 1_000; n += 1) audit.denied({ ...DENIAL, code: `code_${n}` });
    for (let n = 0; n < 1_000; n += 1) audit.refusedAdmin({ ...refused, ip: "192.0.2.3" });
    for (let n = 0; n < 1_000; n += 1) audit.refusedAdmin({ ...refused, ip: `192.0.2.3${n}` });
    expect(written).to.have.length(5);
    nowMs += 10_001;
    audit.refusedAdmin({ ...refused, ip: "192.0.2.3" });
    expect(JSON.parse(written.at(-1) ?? "")).to.deep.include({ ...refusalOf(refused), alike: 999 });
    expect(await refusals()).to.have.length(11);
  });

  it("puts what cannot be kept into the log, and goes on", async () => {
    const commit = store.deeds.append;
    Object.assign(store.deeds, { append: () => Promise.reject(new Error("ENOSPC")) });
    await audit.record({ action: "key.deleted", actor: ACTOR, keyId: "key_1" });
    expect(written.join()).to.include("key_1").and.to.include("ENOSPC");
    Object.assign(store.deeds, { append: commit });
    await audit.record({ action: "key.created", actor: ACTOR });
    expect(await deeds()).to.have.length(1);
  });

  it("says when it is large, and again when it has doubled, and refuses nothing", async () => {
    let bytes = 255 * 1024 ** 2;
    Object.assign(store.deeds, { append: async () => ({ bytes }) });
    for (const [size, lines] of [
      [255, 0],
      [300, 1],
      [400, 1],
      [513, 2],
      [514, 2],
    ] as const) {
      bytes = size * 1024 ** 2;
      await audit.record({ action: "key.created", actor: ACTOR });
      expect(written, `${size} MiB`).to.have.length(lines);
    }
    expect(written[0]).to.include("auditDays");
  });
});

function refusalOf({ code, endpoint }: { code: string; endpoint: string }): object {
  return { code, endpoint, ip: "192.0.2.3" };
}
