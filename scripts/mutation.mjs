/**
 * Mutation testing of the policy: `node scripts/mutation.mjs [options of stryker run]`, for example
 * `--mutate src/policy/decide.ts`. The report lands in `.build/mutation`.
 *
 * Stryker comes with npx, and with the newest mocha that its runner understands. It calls this file back in its
 * sandbox: `bundle` packs the instrumented sources and the policy's tests into two files. Examples run before
 * properties, because they kill most mutants at once; properties have fixed seeds and fewer cases than in CI.
 */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";

const STRYKER = ["@stryker-mutator/core@9", "@stryker-mutator/mocha-runner@9", "mocha@11"]; // core 10 needs Node 22
const SUITES = {
  examples: ["vectors", "explain", "settings", "address"],
  properties: [
    "channel-model",
    "origin-reference",
    "origin-collision",
    "forwarded-model",
    "totality",
    "address-oracle",
  ],
};

if (process.argv[2] === "bundle") await bundle();
else stryker(process.argv.slice(2));

async function bundle() {
  const { build } = await import("esbuild");
  for (const [suite, files] of Object.entries(SUITES)) {
    const imports = files.map((file) => `import "./${file}.test.ts";`);
    if (suite === "properties") {
      imports.unshift('import fc from "fast-check"; fc.configureGlobal({ seed: 1 });');
    }
    await build({
      stdin: { contents: imports.join("\n"), resolveDir: "test/policy", loader: "ts" },
      outfile: `test/policy/${suite}.mjs`,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      plugins: [{ name: "quick-counters", setup: quickCounters }],
    });
  }
}

/** Coverage is counted in Stryker's first run; without the counters the runs of mutants are twice as fast. */
function quickCounters(build) {
  build.onLoad({ filter: /src\/policy\/.*\.ts$/ }, async ({ path }) => {
    const source = await readFile(path, "utf8");
    const counter = "function cover() {";
    return {
      contents: source.replace(counter, `${counter} if (ns.activeMutant !== undefined) return;`),
      loader: "ts",
    };
  });
}

function stryker(options) {
  const { status, error } = spawnSync(
    "npx",
    ["--yes", ...STRYKER.flatMap((name) => ["--package", name]), "stryker", "run", ...options],
    { stdio: "inherit", env: { SEED: "1", SLUICE_PROPERTY_RUNS: "400", ...process.env } },
  );
  if (error) throw error;
  process.exitCode = status ?? 1;
}
