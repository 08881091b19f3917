import { readFileSync } from "node:fs";
import { expect } from "chai";
import { isNodeNewEnough } from "../../src/commands/node-floor.ts";
import { runCommand } from "../helpers/command.ts";
import { toRecord } from "../helpers/record.ts";

describe("the oldest Node", () => {
  it("is the one that package.json names", () => {
    const { engines } = toRecord(JSON.parse(readFileSync("package.json", "utf8")));
    const [, floor = ""] = String(toRecord(engines)["node"]).match(/^>=(\d+\.\d+\.\d+)$/) ?? [];
    expect(isNodeNewEnough(`v${floor}`)).to.equal(true);
    const [major = "", minor = "", patch = ""] = floor.split(".");
    expect(isNodeNewEnough(`v${major}.${minor}.${Number(patch) - 1}`)).to.equal(false);
    for (const older of ["v18.20.8", "v20.19.9", "v20.20.1", "v0.0.0", ""])
      expect(isNodeNewEnough(older), older).to.equal(false);
    for (const newer of ["v20.20.3", "v20.21.0", "v22.0.0", "v24.1.0", "v26.0.0-nightly"])
      expect(isNodeNewEnough(newer), newer).to.equal(true);
  });

  it("an older one is refused with a sentence, before anything is done", async () => {
    const pretend =
      "data:text/javascript,globalThis.process=Object.create(process,{version:{value:'v20.19.0'}})";
    const { code, stdout, stderr } = await runCommand(["--help"], {
      cwd: ".",
      env: { NODE_OPTIONS: `--import ${pretend}` },
    });
    expect(code).to.equal(1);
    expect(stdout).to.equal("");
    expect(stderr).to.match(/^sluice: this is Node v20\.19\.0, and Sluice needs 20\.20\.2 or newer/);
  });
});
