import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Gate } from "../../src/gate/gate.ts";
import { type Counters, MemoryCounters } from "../../src/gate/limits/index.ts";
import { type KeyStore, openKeyStorage, openKeyStore, StoreUnavailableError } from "../../src/keys/index.ts";
import { createLogger } from "../../src/observe/log.ts";
import { parseSettings } from "../../src/policy/index.ts";
import { startServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("gate", () => {
  let keys: KeyStore;
  let gate: Gate;
  const enforced: string[] = [];
  const open = (store: KeyStore, keyRequired = true): Gate => {
    const made = new Gate({ keys: store, keyRequired, sweepSeconds: 3600, log: createLogger("silent") });
    made.watch({
      enforce: (id) => {
        enforced.push(id);
        return undefined;
      },
      countOf: () => 0,
      preview: async () => ({ total: 0, closing: 0, leaving: 0, byCode: {}, byOrigin: {}, examples: [] }),
    });
    return made;
  };
  const connect = { action: "connect", ip: "127.0.0.1" } as const;

  beforeEach(async () => {
    keys = await openKeyStore(await openKeyStorage("memory:"));
    gate = open(keys);
    enforced.length = 0;
  });
  afterEach(async () => {
    await gate.close();
    await keys.close();
  });

  const identify = async (secret: string) => {
    const identity = await gate.authenticate({ secret });
    if ("allowed" in identity) throw new Error(identity.code);
    return identity;
  };

  it("says unavailable, never invalid, when the store is away", async () => {
    const { secret } = await keys.create(parseSettings({ name: "key" }));
    const away = open({
      ...keys,
      recordUsage: async () => {},
      revision: () => keys.revision(),
      subscribe: () => () => {},
      findByDigest: () => Promise.reject(new StoreUnavailableError()),
    });
    expect(await away.authenticate({ secret })).to.include({ code: "unavailable", status: 503 });
    await away.close();
  });

  it("does not admit by a record that was deleted or changed while it was read", async () => {
    const { secret, record } = await keys.create(parseSettings({ name: "key", allowRealtime: true }));
    let slow = true;
    const racing = open({
      ...keys,
      revision: () => keys.revision(),
      subscribe: (listener) => keys.subscribe(listener),
      async findByDigest(wanted) {
        const read = await keys.findByDigest(wanted);
        if (slow) {
          slow = false;
          await keys.delete(record.id);
        }
        return read;
      },
    });
    expect(await racing.authenticate({ secret })).to.include({ code: "invalid_api_key" });
    await racing.close();
  });

  it("decides by the newest version although the identity is older", async () => {
    const { secret, record } = await keys.create(parseSettings({ name: "key", allowRealtime: true }));
    const identity = await identify(secret);
    gate.hold(identity);
    expect(gate.decide(identity, connect).allowed).to.equal(true);
    await keys.update(record.id, 1, (settings) => ({ ...settings, allowRealtime: false }));
    expect(gate.decide(identity, connect)).to.include({ code: "realtime_not_allowed" });
    expect(enforced).to.deep.equal([record.id]);
    await keys.delete(record.id);
    expect(gate.decide(identity, connect)).to.include({ code: "invalid_api_key" });
    gate.release(identity);
  });

  it("does not trouble the registry about keys that no connection holds", async () => {
    const { secret, record } = await keys.create(parseSettings({ name: "key" }));
    await identify(secret);
    await keys.update(record.id, 1, (settings) => ({ ...settings, enabled: false }));
    expect(enforced).to.deep.equal([]);
  });

  it("lets keyless callers do everything on channels where no key is required, and no endpoint", async () => {
    const openGate = open(keys, false);
    const nobody = await openGate.authenticate({ secret: undefined });
    expect(nobody).to.deep.equal({ key: null });
    if ("allowed" in nobody) return;
    expect(openGate.decide(nobody, { action: "publish", ip: null, channel: "a" })).to.deep.equal({
      allowed: true,
    });
    expect(openGate.decide(nobody, { action: "endpoint", ip: null })).to.include({ code: "missing_api_key" });
    expect(await openGate.authenticate({ secret: "wrong" })).to.include({ code: "invalid_api_key" });
    await openGate.close();
  });

  it("catches what another process wrote to the same store", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-gate-"));
    const config = { store: `lmdb:${folder}`, keySweepSeconds: 0.1 };
    const [here, there] = [await startServer({ config }), await startServer({ config })];
    const key = await there.createKey({ allowRealtime: true });
    const client = await new SocketClient(here.url, { apiKey: key.secret }).ready();
    await there.patchKey(key.id, { enabled: false });
    expect(await client.next("connection:closing")).to.include({ code: "disabled_api_key" });
    expect(await new SocketClient(here.url, { apiKey: key.secret }).refusal()).to.include({
      code: "disabled_api_key",
    });
    await Promise.all([here.close(), there.close()]);
    await rm(folder, { recursive: true });
  });
});

describe("gate and the limits of keys", () => {
  let keys: KeyStore;
  const denied: string[] = [];
  const open = (counters: Counters): Gate =>
    new Gate({
      keys,
      keyRequired: false,
      sweepSeconds: 3600,
      log: createLogger("silent"),
      counters,
      onDenied: ({ code }) => denied.push(code),
    });
  const publish = { action: "publish", ip: "10.0.0.1", channel: "a" } as const;
  const once = { name: "once", limit: 1, windowSeconds: 3600, per: "key" };
  const identify = async (gate: Gate, secret: string | undefined) => {
    const identity = await gate.authenticate({ secret });
    if ("allowed" in identity) throw new Error(identity.code);
    return identity;
  };
  beforeEach(async () => {
    keys = await openKeyStore("memory:");
    denied.length = 0;
  });
  afterEach(() => keys.close());

  it("answers at once where no limit counts", async () => {
    const gate = open(new MemoryCounters());
    const { secret } = await keys.create(parseSettings({ name: "key", allowRealtime: true }));
    expect(gate.charge(await identify(gate, secret), publish)).to.deep.equal({ allowed: true });
    expect(gate.charge(await identify(gate, undefined), publish)).to.deep.equal({ allowed: true });
    const limited = await keys.create(parseSettings({ name: "key", limits: [once] }));
    expect(gate.charge(await identify(gate, limited.secret), publish)).to.include({
      code: "realtime_not_allowed",
    });
    await gate.close();
  });

  it("gives back what a call took that the key no longer allows when it is counted", async () => {
    const memory = new MemoryCounters();
    const settings = parseSettings({ name: "key", allowRealtime: true, limits: [once] });
    const { secret, record } = await keys.create(settings);
    let version = record.version;
    const set = async (allowRealtime: boolean): Promise<void> => {
      await keys.update(record.id, version, (now) => ({ ...now, allowRealtime }));
      version += 1;
    };
    let isSlow = true;
    const gate = open({
      read: (budgets) => memory.read(budgets),
      close: () => memory.close(),
      async spend(budgets) {
        const spending = await memory.spend(budgets);
        if (isSlow) await set(false);
        return spending;
      },
    });
    const identity = await identify(gate, secret);
    gate.hold(identity);
    expect(await gate.charge(identity, publish)).to.include({ code: "realtime_not_allowed" });
    isSlow = false;
    await set(true);
    expect(await gate.charge(identity, publish)).to.include({ allowed: true });
    expect(await gate.charge(identity, publish)).to.include({ code: "rate_limit_exceeded" });
    expect(denied).to.deep.equal(["realtime_not_allowed", "rate_limit_exceeded"]);
    gate.release(identity);
    await gate.close();
  });

  it("says unavailable, and lets nothing through, when the counters do not answer", async () => {
    const away = () => Promise.reject(new Error("away"));
    const gate = open({ spend: away, read: away, close: async () => {} });
    const settings = parseSettings({ name: "key", allowRealtime: true, limits: [once] });
    const { secret } = await keys.create(settings);
    expect(await gate.charge(await identify(gate, secret), publish)).to.include({ code: "unavailable" });
    await gate.close();
  });
});

describe("gate and keys that come back under their id", () => {
  it("enforces a restored key for its old and its new holders", async () => {
    const keys = await openKeyStore("memory:");
    const enforced: string[] = [];
    const gate = new Gate({ keys, keyRequired: true, sweepSeconds: 3600, log: createLogger("silent") });
    gate.watch({
      enforce: (id) => {
        enforced.push(id);
        return undefined;
      },
      countOf: () => 0,
      preview: async () => ({ total: 0, closing: 0, leaving: 0, byCode: {}, byOrigin: {}, examples: [] }),
    });
    const { secret, record } = await keys.create(parseSettings({ name: "key", allowRealtime: true }));
    const identify = async () => {
      const identity = await gate.authenticate({ secret });
      if ("allowed" in identity) throw new Error(identity.code);
      return identity;
    };
    const before = await identify();
    gate.hold(before);
    await keys.delete(record.id);
    await keys.importAll([record], { onExisting: "refuse" });
    const after = await identify();
    gate.hold(after);
    gate.release(before);
    enforced.length = 0;
    await keys.update(record.id, record.version, (settings) => ({ ...settings, enabled: false }));
    expect(enforced).to.deep.equal([record.id]);
    expect(gate.decide(after, { action: "connect", ip: null })).to.include({ code: "disabled_api_key" });
    gate.release(after);
    await gate.close();
    await keys.close();
  });

  it("believes a look-up that finds an older version restored by another process", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-aba-"));
    const config = { store: `lmdb:${folder}`, keySweepSeconds: 3600 };
    const [here, there] = [await startServer({ config }), await startServer({ config })];
    const key = await here.createKey({ allowRealtime: true });
    const call = async (): Promise<number> =>
      (await fetch(`${there.url}/channels/members?channel=a`, { headers: { "x-api-key": key.secret } }))
        .status;
    await here.patchKey(key.id, { enabled: false });
    const backup = (await here.admin("/keys/export", { method: "POST" })).body["keys"];
    await here.patchKey(key.id, { enabled: true });
    expect(await call()).to.equal(200);
    await here.deleteKey(key.id);
    await here.admin("/keys/import", { method: "POST", body: { keys: backup } });
    expect(await call()).to.equal(401);
    await Promise.all([here.close(), there.close()]);
    await rm(folder, { recursive: true });
  });
});
