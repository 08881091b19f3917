import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import fc from "fast-check";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { compilePolicy, decide, normalizeAddress } from "../../src/policy/index.ts";
import { parseNetwork } from "../../src/policy/network.ts";
import { addressText, anyAddressText, anyNetworkText } from "./address-texts.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "./runs.ts";

const script = fileURLToPath(new URL("./address-oracle.py", import.meta.url));

/** Ask Python about every case, in one process fed by lines. */
async function ask(cases: readonly unknown[]): Promise<unknown[]> {
  const oracle = spawn("python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(oracle, "close");
  oracle.stdin.end(cases.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const answers: unknown[] = [];
  for await (const line of createInterface({ input: oracle.stdout })) answers.push(JSON.parse(line));
  await ended;
  expect(oracle.exitCode).to.equal(0);
  expect(answers).to.have.length(cases.length);
  return answers;
}

/** What the engine makes of a rule: its canonical text, or null when it is refused. */
function kept(rule: string): string | null {
  const network = parseNetwork(rule);
  return typeof network === "string" ? null : network.text;
}

const answerSchema = Compile(
  Type.Object({
    rules: Type.Array(Type.Union([Type.String(), Type.Null()])),
    codes: Type.Array(Type.String()),
  }),
);

describe("addresses against Python's ipaddress", function () {
  this.timeout(PROPERTY_TIMEOUT_MS);
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

  it(`reads every text as Python does (seed ${seed})`, async () => {
    const texts = fc.sample(anyAddressText, { numRuns: RUNS, seed });
    const answers = await ask(texts.map((text) => ({ text })));
    let valid = 0;
    for (const [index, text] of texts.entries()) {
      const answer = answers[index];
      if (answer !== null) valid += 1;
      if (normalizeAddress(text) !== answer) {
        expect.fail(`${JSON.stringify(text)}: Python ${answer}, Sluice ${normalizeAddress(text)}`);
      }
    }
    expect(valid).to.be.within(RUNS * 0.3, RUNS * 0.9);
  });

  it(`keeps and matches every range as Python does (seed ${seed})`, async () => {
    const any = fc.oneof(addressText, anyAddressText);
    const rulesAndAddresses = fc.record({
      rules: fc.array(anyNetworkText, { minLength: 1, maxLength: 4 }),
      others: fc.array(any, { minLength: 3, maxLength: 3 }),
      near: fc.nat(3),
    });
    const cases = fc
      .sample(rulesAndAddresses, { numRuns: RUNS / 4, seed })
      .map(({ rules, others, near }) => ({
        rules,
        ips: [...others, rules[near % rules.length]?.split("/")[0] ?? ""],
      }));
    const answers = await ask(cases);
    let allowed = 0;
    for (const [index, { rules, ips }] of cases.entries()) {
      const answer = answerSchema.Parse(answers[index]);
      const where = `${JSON.stringify({ rules, ips })}: Python ${JSON.stringify(answer)}, Sluice`;
      const own = rules.map(kept);
      if (own.join() !== answer.rules.join()) expect.fail(`${where} ${JSON.stringify(own)}`);
      const list = rules.filter((_, place) => own[place] !== null);
      const policy = compilePolicy({ name: "all", allowRealtime: true, ips: { mode: "specified", list } });
      const decisions = ips.map((ip) => decide(policy, { action: "connect", ip }, 0));
      const codes = decisions.map((decision) => (decision.allowed ? "allowed" : decision.code));
      if (codes.join() !== answer.codes.join()) expect.fail(`${where} ${JSON.stringify(codes)}`);
      allowed += codes.filter((code) => code === "allowed").length;
    }
    expect(allowed).to.be.greaterThan(RUNS / 10);
  });
});
