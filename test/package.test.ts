import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";

/** What others import from what the build wrote: asked in a Node of its own, which knows nothing of the sources. */
function evaluate(code: string): unknown {
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" });
  return JSON.parse(text);
}

describe("package", () => {
  const namesOf = (entry: string): unknown =>
    evaluate(`import * as all from "${entry}"; console.log(JSON.stringify(Object.keys(all)))`);

  it("exports the server, the policy and the client", () => {
    const load = ["ConfigError", "defineConfig", "loadConfig", "resolveConfig"];
    expect(namesOf("sluice")).to.have.members([...load, "MultipartBody", "createServer"]);
    const policy = ["compilePolicy", "decide", "explain", "clientAddress", "requestOrigin", "PolicyError"];
    expect(namesOf("sluice/policy")).to.include.members(policy);
    expect(namesOf("sluice/client")).to.have.members(["createClient"]);
  });

  it("decides in the public words of the design", () => {
    const decisions = evaluate(`
      import { compilePolicy, decide } from "sluice/policy";
      const policy = compilePolicy({ name: "web", allowRealtime: true, ips: { mode: "specified", list: ["10.0.0.0/8"] } });
      const ask = (ip) => decide(policy, { action: "connect", ip }, Date.now());
      console.log(JSON.stringify([ask("::ffff:10.1.2.3"), ask("11.0.0.1")]))`);
    expect(decisions).to.have.deep.nested.property("[0]", { allowed: true });
    expect(decisions).to.have.nested.property("[1].code", "ip_not_authorized");
  });

  it("is built before it is packed, and has the documents without their pictures", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(scripts.prepack).to.equal("node scripts/build.mjs --if-missing");
    const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      encoding: "utf8",
    });
    const { files }: { files: { path: string }[] } = JSON.parse(packed)[0];
    const paths = files.map(({ path }) => path);
    expect(paths).to.include.members([
      "dist/src/cli.js",
      "dist/client/index.js",
      "docs/keys.md",
      "README.md",
    ]);
    expect(
      paths.filter((path) => /\.(png|jpe?g|gif|svg|webp)$/.test(path) && path.startsWith("docs/")),
    ).to.deep.equal([]);
  }).timeout(60_000);

  it("names what Node it needs, and has its own command", () => {
    const { engines, bin } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(engines.node).to.equal(">=20.20.2");
    expect(readFileSync(bin.sluice, "utf8")).to.match(/^#!\/usr\/bin\/env node/);
  });
});
