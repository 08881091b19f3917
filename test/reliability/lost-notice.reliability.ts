import { expect } from "chai";
import { Gate, type Identity } from "../../src/gate/index.ts";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";
import { createLogger } from "../../src/observe/log.ts";

const KEYS = 1_000;

describe("notices of changes that never arrive", () => {
  it("are made up for by the sweep, once for each key that changed and for no other", async () => {
    const store = await openKeyStore("memory:");
    const deaf: KeyStore = new Proxy(store, {
      get(target, name) {
        if (name === "subscribe") return () => () => {};
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const gate = new Gate({
      keys: deaf,
      keyRequired: true,
      sweepSeconds: 3_600,
      log: createLogger("silent"),
    });
    const enforced: string[] = [];
    const nothing = { total: 0, closing: 0, leaving: 0, byCode: {}, byOrigin: {}, examples: [] };
    const enforce = (id: string): undefined => void enforced.push(id);
    gate.watch({ enforce, countOf: () => 1, preview: async () => nothing });
    const held: { id: string; identity: Identity }[] = [];
    for (let n = 0; n < KEYS; n += 1) {
      const { record, secret } = await store.create({ name: `key ${n}`, allowRealtime: true });
      const identity = await gate.authenticate({ secret });
      if ("allowed" in identity) throw new Error(identity.code);
      gate.hold(identity);
      held.push({ id: record.id, identity });
    }
    const decide = (n: number) => {
      const one = held[n];
      return one && gate.recheck(one.identity, { action: "connect", ip: "127.0.0.1" });
    };
    await gate.sweep();
    expect(enforced).to.deep.equal([]);
    const changed = held.filter((_, n) => n % 10 === 0).map(({ id }) => id);
    for (const [n, id] of changed.entries()) {
      if (n % 3 === 0) await store.delete(id);
      else if (n % 3 === 1) await store.update(id, 1, (settings) => ({ ...settings, enabled: false }));
      else await store.rotate(id, 1, { overlapUntil: null });
    }
    // Nobody has told the gate.
    expect(decide(0)).to.include({ allowed: true });
    await gate.sweep();
    expect(enforced.sort()).to.deep.equal([...changed].sort());
    expect(decide(0)).to.include({ code: "invalid_api_key" });
    expect(decide(10)).to.include({ code: "disabled_api_key" });
    expect(decide(20)).to.include({ code: "invalid_api_key" });
    expect(decide(11)).to.include({ allowed: true });
    enforced.length = 0;
    await gate.sweep();
    expect(enforced).to.deep.equal([]);
    await gate.close();
    await store.close();
  });
});
