/** Mutation testing of the policy; scripts/mutation.mjs runs it. Every mutator is on and no mutant is ignored. */
export default {
  mutate: ["src/policy/**/*.ts"],
  testRunner: "mocha",
  mochaOptions: {
    spec: ["test/policy/examples.mjs", "test/policy/properties.mjs"],
    "no-config": true,
    "no-package": true,
  },
  buildCommand: "node scripts/mutation.mjs bundle",
  coverageAnalysis: "perTest",
  ignoreStatic: false,
  concurrency: 2,
  // An endless loop is a mutant killed; a slow machine is not.
  timeoutMS: 5_000,
  timeoutFactor: 2,
  // What is copied into the sandbox, not what is mutated.
  ignorePatterns: [
    "**",
    "!src/{policy,protocol}/**",
    "!test/policy/**",
    "!scripts/mutation.mjs",
    "!package.json",
  ],
  tempDirName: ".build/stryker",
  reporters: ["clear-text", "progress-append-only", "html", "json"],
  clearTextReporter: { allowColor: false, reportTests: false },
  htmlReporter: { fileName: ".build/mutation/index.html" },
  jsonReporter: { fileName: ".build/mutation/report.json" },
  thresholds: { high: 95, low: 90, break: 90 },
};
