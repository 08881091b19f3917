import { expect } from "chai";
import fc from "fast-check";
import { LoadAccount, LoadLedger } from "../../src/overload/load-account.ts";
import { chooseShedding, type OwnerLoad, type SheddingCause } from "../../src/overload/shedding.ts";

const MIB = 1024 * 1024;

function owner(name: string, parts: Partial<OwnerLoad>): OwnerLoad {
  return { name, connections: 10, heldBytes: 0, work: 0, ...parts };
}

describe("whose connections an overloaded node closes", () => {
  it("under memory pressure it is who holds most", () => {
    const owners = [owner("quiet", { heldBytes: 2 * MIB }), owner("hoarder", { heldBytes: 90 * MIB })];
    expect(chooseShedding(owners, "heap")?.name).to.equal("hoarder");
    expect(chooseShedding(owners, "memory")?.name).to.equal("hoarder");
  });

  it("under a late loop it is who works most, whatever others hold", () => {
    const owners = [
      owner("reader", { heldBytes: 90 * MIB, work: 20_000 }),
      owner("flood", { work: 900_000 }),
    ];
    expect(chooseShedding(owners, "loopDelay")?.name).to.equal("flood");
  });

  it("short of descriptors it is who has most connections", () => {
    const owners = [owner("busy", { work: 900_000 }), owner("crowd", { connections: 900 })];
    expect(chooseShedding(owners, "descriptors")?.name).to.equal("crowd");
  });

  it("a quarter of the owner's connections goes at a time, and at least eight", () => {
    const of = (connections: number) =>
      chooseShedding([owner("a", { connections, work: 900_000 })], "loopDelay")?.connections;
    expect([of(400), of(10), of(3), of(0)]).to.deep.equal([100, 8, 3, 0]);
  });

  it("nobody is chosen where it would not help", () => {
    expect(chooseShedding([], "heap")).to.equal(undefined);
    expect(chooseShedding([owner("idle", { heldBytes: 1_000, work: 10 })], "heap")).to.equal(undefined);
    expect(chooseShedding([owner("reader", { heldBytes: 90 * MIB })], "loopDelay")).to.equal(undefined);
  });

  it("whoever weighs less than its fair share is never chosen", () => {
    const loads = fc.record({
      connections: fc.nat(20_000),
      heldBytes: fc.nat(4_000 * MIB),
      work: fc.nat(10_000_000),
    });
    const causes = fc.constantFrom<SheddingCause>("heap", "memory", "loopDelay", "descriptors");
    fc.assert(
      fc.property(fc.array(loads, { maxLength: 30 }), causes, (parts, cause) => {
        const owners = parts.map((part, index) => owner(`key ${index}`, part));
        const choice = chooseShedding(owners, cause);
        if (choice === undefined) return;
        const shareOf = (name: string, of: (load: OwnerLoad) => number): number => {
          const whole = owners.reduce((sum, load) => sum + of(load), 0);
          const part = owners.find((load) => load.name === name);
          return whole === 0 || part === undefined ? 0 : of(part) / whole;
        };
        const held = shareOf(choice.name, (load) => load.heldBytes);
        const work = shareOf(choice.name, (load) => load.work);
        const connections = shareOf(choice.name, (load) => load.connections);
        const weight =
          cause === "descriptors" ? connections : cause === "loopDelay" ? work : (held + work) / 2;
        const wholeWeight = cause === "heap" || cause === "memory" ? wholeOf(owners) : 1;
        expect(weight).to.be.at.least(wholeWeight / owners.length - 1e-9);
      }),
    );
  });
});

/** Half for each of the two that anybody has any of. */
function wholeOf(owners: readonly OwnerLoad[]): number {
  const has = (of: (load: OwnerLoad) => number): number => (owners.some((load) => of(load) > 0) ? 0.5 : 0);
  return has((load) => load.heldBytes) + has((load) => load.work);
}

describe("the work of owners", () => {
  it("fades by half in five seconds, and is forgotten", () => {
    const ledger = new LoadLedger();
    const account = new LoadAccount("key_1", ledger);
    account.add(600);
    account.add(400);
    ledger.decay(250);
    ledger.decay(5_000);
    expect(ledger.byOwner().get("key_1")).to.be.closeTo(500, 1);
    ledger.decay(120_000);
    expect(ledger.size).to.equal(0);
  });

  it("is one sum for all accounts of a name", () => {
    const ledger = new LoadLedger();
    for (const name of ["address 192.0.2.1", "address 192.0.2.1", "key_1"])
      new LoadAccount(name, ledger).add(10);
    expect([...ledger.byOwner()]).to.deep.equal([
      ["address 192.0.2.1", 20],
      ["key_1", 10],
    ]);
  });

  it("is kept for a bounded number of accounts", () => {
    const ledger = new LoadLedger(100);
    for (let i = 0; i < 1_000; i += 1) new LoadAccount(`key_${i}`, ledger).add(1_000);
    expect(ledger.size).to.equal(100);
  });

  it("marks whoever is shed, and nobody once that is over", () => {
    const ledger = new LoadLedger();
    const [heavy, light] = [new LoadAccount("heavy", ledger), new LoadAccount("light", ledger)];
    heavy.add(1_000);
    light.add(10);
    ledger.markShed("heavy");
    expect([heavy.isShed, light.isShed]).to.deep.equal([true, false]);
    ledger.markShed(undefined);
    expect(heavy.isShed).to.equal(false);
  });
});
