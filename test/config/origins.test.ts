import { expect } from "chai";
import { ConfigError, loadConfig, resolveConfig } from "../../src/config/config.ts";
import { settingsInEffect } from "../../src/config/settings-in-effect.ts";

describe("the setting publicOrigins", () => {
  const A = "https://a.example";
  const B = "https://b.example:8443";

  it("is this machine's names by default, with the port", () => {
    const { publicOrigins } = resolveConfig({ port: 9090 });
    expect(publicOrigins).to.deep.equal(["http://localhost:9090", "http://127.0.0.1:9090"]);
    expect(resolveConfig({ port: 80 }).publicOrigins).to.deep.equal(["http://localhost", "http://127.0.0.1"]);
  });

  it("is a list, in a file as in the environment", async () => {
    expect(resolveConfig({ publicOrigins: [A, B] }).publicOrigins).to.deep.equal([A, B]);
    const { publicOrigins } = await loadConfig({ environment: { SLUICE_PUBLIC_ORIGINS: `${A}, ${B}` } });
    expect(publicOrigins).to.deep.equal([A, B]);
  });

  it("has an alias for one", async () => {
    expect(resolveConfig({ publicOrigin: A }).publicOrigins).to.deep.equal([A]);
    const config = await loadConfig({ environment: { SLUICE_PUBLIC_ORIGIN: A } });
    expect(config.publicOrigins).to.deep.equal([A]);
    const row = settingsInEffect(config, config.publicOrigins).find(({ name }) => name === "publicOrigins");
    expect(row).to.deep.include({ value: [A], source: "environment", environment: "SLUICE_PUBLIC_ORIGINS" });
  });

  it("is replaced as a whole by a source that wins, whichever name that uses", async () => {
    expect(resolveConfig({ publicOrigins: [A, B] }, { publicOrigin: A }).publicOrigins).to.deep.equal([A]);
    expect(resolveConfig({ publicOrigin: A }, { publicOrigins: [B] }).publicOrigins).to.deep.equal([B]);
    const environment = { SLUICE_PUBLIC_ORIGIN: A, SLUICE_PUBLIC_ORIGINS: B };
    expect((await loadConfig({ environment })).publicOrigins).to.deep.equal([B]);
  });

  it("takes origins as browsers write them, and names the setting of a fault", () => {
    const faults: readonly (readonly [object, string])[] = [
      [{ publicOrigin: "a.example" }, '"publicOrigin"'],
      [{ publicOrigin: 7 }, '"publicOrigin"'],
      [{ publicOrigins: [A, "https://A.example"] }, '"publicOrigins"'],
      [{ publicOrigins: [`${A}/`] }, '"publicOrigins"'],
      [{ publicOrigins: ["https://a.example:443"] }, '"publicOrigins"'],
      [{ publicOrigins: A }, '"publicOrigins"'],
      [{ publicOrigins: [] }, '"publicOrigins"'],
      [{ publicOrigin: A, publicOrigins: [B] }, '"publicOrigin"'],
    ];
    for (const [input, name] of faults)
      expect(() => resolveConfig(input), JSON.stringify(input)).to.throw(ConfigError, name);
  });
});
