import { expect } from "chai";
import { FairAdmission } from "../../src/lib/fair-admission.ts";

describe("fair admission", () => {
  /** Takes as many places as it gets. @returns how many */
  const fill = (places: FairAdmission, owner: string, addressGroup: string, upTo = 10_000): number => {
    let taken = 0;
    while (taken < upTo && places.admits({ owner, addressGroup })) {
      places.add({ owner, addressGroup });
      taken += 1;
    }
    return taken;
  };

  it("gives one alone everything, and no more", () => {
    const places = new FairAdmission(1_000);
    expect(fill(places, "key", "here")).to.equal(1_000);
    expect(places.admits({ owner: "key", addressGroup: "here" })).to.equal(false);
  });

  it("keeps a reserve for a key below its fair share, which none takes alone", () => {
    const places = new FairAdmission(1_000);
    fill(places, "loud", "there");
    expect(fill(places, "second", "there too")).to.equal(250);
    expect(fill(places, "third", "elsewhere")).to.equal(125);
    expect(fill(places, "quiet", "home", 10)).to.equal(10);
    expect(places.total).to.be.at.most(1_500);
  });

  it("keeps a smaller one for an address below its fair share, also of the key that has everything", () => {
    const places = new FairAdmission(1_000);
    fill(places, "page", "loud");
    expect(fill(places, "page", "quiet", 20)).to.equal(20);
    for (let n = 0; n < 5_000; n += 1) fill(places, "page", `of a thousand ${n}`, 100);
    expect(places.total).to.be.at.most(1_250);
    expect(fill(places, "other key", "loud", 20), "another key").to.equal(20);
  });

  it("takes again who was refused, when others have gone", () => {
    const places = new FairAdmission(10);
    fill(places, "key", "here");
    places.remove({ owner: "key", addressGroup: "here" });
    expect(fill(places, "key", "here")).to.equal(1);
    for (let n = 0; n < 10; n += 1) places.remove({ owner: "key", addressGroup: "here" });
    expect(places.total).to.equal(0);
  });
});
