import { expect } from "chai";
import { Clients } from "../../../src/channels/index.ts";
import { createResident } from "../../../src/channels/local/resident.ts";
import { PresenceCharges } from "../../../src/channels/presence/presence-charges.ts";

describe("charges for presence", () => {
  const residentOf = () => createResident("a", new Clients().connect("a", null, undefined).client, "key_a");

  it("let a page join 50 channels of 500 members, say who it is, leave all and join again", () => {
    const charges = new PresenceCharges(10_000, () => 500);
    const page = residentOf();
    const channels = Array.from({ length: 50 }, (_, index) => `room:${index}`);
    for (const channel of channels) charges.charge(page, [channel]);
    charges.charge(page, channels);
    for (const channel of channels) charges.charge(page, [channel]);
    for (const channel of channels) charges.charge(page, [channel]);
    expect(charges.debtMs(page)).to.equal(0);
  });

  it("bring a connection that goes on into debt, for ten seconds at most, however much one change costs", () => {
    const charges = new PresenceCharges(10_000, () => 500);
    const flooder = residentOf();
    const channels = Array.from({ length: 1_000 }, (_, index) => `room:${index}`);
    expect(charges.debtMs(flooder)).to.equal(0);
    charges.charge(flooder, channels);
    charges.charge(flooder, channels);
    expect(charges.debtMs(flooder)).to.be.within(9_000, 10_000);
  });

  it("count a channel where nobody is told of each as one delivery", () => {
    const charges = new PresenceCharges(10, () => 0);
    const resident = residentOf();
    for (let joins = 0; joins < 100; joins += 1) charges.charge(resident, ["room"]);
    expect(charges.debtMs(resident)).to.equal(0);
    for (let joins = 0; joins < 50; joins += 1) charges.charge(resident, ["room"]);
    expect(charges.debtMs(resident)).to.be.within(4_000, 5_000);
  });

  it("are not kept where there is no limit", () => {
    const charges = new PresenceCharges(0, () => 500);
    const resident = residentOf();
    charges.charge(resident, ["room"]);
    expect(resident.presenceBucket).to.equal(undefined);
    expect(charges.debtMs(resident)).to.equal(0);
  });
});
