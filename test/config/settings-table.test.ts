import { expect } from "chai";
import { settingsTable } from "../../scripts/settings-table.ts";
import { environmentOf, loadConfig, resolveConfig, sourceOf } from "../../src/config/config.ts";
import { settingFault } from "../../src/config/setting-fault.ts";
import { settingsInEffect } from "../../src/config/settings-in-effect.ts";
import { rowOf, SETTING_NAMES, type SettingName } from "../../src/config/settings-table.ts";
import { readDocument, tableRows } from "../docs/documents.ts";
import { runCommand } from "../helpers/command.ts";

/** Texts of which each setting that has a variable takes one. */
const TEXTS = [
  "5",
  "true",
  "info",
  "forwarded",
  "http://a.example",
  "a-token-of-sixteen-letters",
  "/api",
  "20000",
  "268435456",
];

describe("the table of settings", () => {
  const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

  it("is the table of docs/configuration.md, line for line", () => {
    const document = readDocument("docs/configuration.md");
    expect(document, "run `npm run docs:settings`").to.include(`\n\n${settingsTable()}\n`);
    const documented = tableRows(document, ["setting", "environment", "default"]).map(([name]) => name);
    expect(documented).to.deep.equal(SETTING_NAMES.map((name) => `\`${name}\`: ${rowOf(name).help}`));
  });

  it("has the settings that a configuration has, and those that are shown as in effect", () => {
    const config = resolveConfig({});
    expect(Object.keys(config)).to.deep.equal(SETTING_NAMES);
    const shown = settingsInEffect(config, config.publicOrigins);
    expect(shown.map(({ name, environment, description }) => [name, environment, description])).to.deep.equal(
      SETTING_NAMES.map((name) => [name, rowOf(name).environment ?? null, rowOf(name).help]),
    );
  });

  it("names each environment variable after its setting, and the variable sets it", async () => {
    for (const name of SETTING_NAMES) {
      const variable = environmentOf(name);
      if (variable === undefined) continue;
      expect(variable).to.equal(`SLUICE_${kebab(name).replaceAll("-", "_").toUpperCase()}`);
      expect(await sourcesFrom(name, variable), variable).to.include("environment");
    }
  });

  it("lets no variable set a setting that has none", async () => {
    for (const name of SETTING_NAMES.filter((one) => environmentOf(one) === undefined)) {
      const variable = `SLUICE_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
      expect(await sourcesFrom(name, variable), variable).to.deep.equal([]);
    }
  });

  it("makes the flags of `sluice start --help`, and no other is there", async () => {
    const { stdout } = await runCommand(["start", "--help"], { cwd: process.cwd() });
    const listed = [...stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag);
    const flags = SETTING_NAMES.filter((name) => rowOf(name).flag !== undefined);
    expect(listed).to.deep.equal(["dev", "config", ...flags.map(kebab)]);
    for (const name of flags) {
      expect(stdout).to.include(rowOf(name).help).and.to.include(rowOf(name).defaultText.replaceAll("`", ""));
    }
    for (const name of SETTING_NAMES.filter((one) => rowOf(one).flag === undefined)) {
      expect(stdout, name).to.not.include(`--${kebab(name)}`);
    }
  });

  it("takes each default, and repeats no secret in a message", () => {
    for (const [name, value] of Object.entries(resolveConfig({}))) {
      if (value !== undefined) expect(settingFault(name, value), name).to.equal(undefined);
    }
    for (const name of SETTING_NAMES.filter((one) => /token|secret|password/i.test(one))) {
      expect(settingFault(name, "sesame"), name).to.be.a("string").and.to.not.include("sesame");
    }
  });
});

/** Where a setting comes from, for each text that its variable takes. */
async function sourcesFrom(name: SettingName, variable: string): Promise<string[]> {
  const sources: string[] = [];
  for (const text of TEXTS) {
    try {
      sources.push(sourceOf(await loadConfig({ environment: { [variable]: text } }), name));
    } catch {
      // Some settings do not take this text.
    }
  }
  return sources;
}
