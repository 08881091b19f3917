import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { environmentOf, resolveConfig } from "../../src/config/config.ts";
import { ROOT } from "../docs/documents.ts";

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

describe("the container files", () => {
  it("copy what the repository has, and start what the build makes", () => {
    const lines = read("deploy/Dockerfile").split("\n");
    for (const line of lines) {
      const [, from, sources] = /^COPY (--from=build )?(.+) \S+$/.exec(line) ?? [];
      if (sources === undefined) continue;
      for (const source of sources.split(" ")) {
        const path = from === undefined ? source : source.replace(/^\/app\//, "");
        expect(existsSync(join(ROOT, path)), line).to.equal(true);
      }
    }
    const [, command] = lines.join("\n").match(/\nCMD (\[.*\])/) ?? [];
    const [node, file, verb] = JSON.parse(command ?? "[]");
    expect([node, existsSync(join(ROOT, file)), verb]).to.deep.equal(["node", true, "start"]);
    const { bin } = JSON.parse(read("package.json"));
    expect(join("/", file)).to.equal(join("/", bin.sluice));
    expect(read("deploy/Dockerfile")).to.include(`EXPOSE ${resolveConfig().port}\n`);
  });

  it("set variables that are settings", () => {
    const known = new Set(
      Object.keys(resolveConfig()).map((name) =>
        environmentOf(name as keyof ReturnType<typeof resolveConfig>),
      ),
    );
    const text = `${read("deploy/Dockerfile")}\n${read("deploy/compose.yaml")}`;
    const set = [...text.matchAll(/^\s*(?:ENV .*)?(SLUICE_[A-Z_]+)[:=]/gm)].map(([, name]) => name);
    expect(set).to.include("SLUICE_PUBLIC_ORIGINS").and.to.include("SLUICE_STORE");
    for (const name of set) if (name !== "SLUICE_DOMAIN") expect(known.has(name), name).to.equal(true);
  });

  it("trust the network that the proxy is in, and no other", () => {
    const compose = read("deploy/compose.yaml");
    const [, trusted] = compose.match(/SLUICE_TRUSTED_PROXIES: (\S+)/) ?? [];
    const [, subnet] = compose.match(/subnet: (\S+)/) ?? [];
    expect(trusted).to.equal(subnet);
  });
});
