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
import { addressText, anyAddressText, anyNetworkText, networkText } from "./address-texts.ts";
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
    const nearby = fc.tuple(networkText, fc.nat(40)).map(([text]) => text.split("/")[0] ?? "");
    const client = fc.oneof(addressText, nearby, anyAddressText);
    const one = fc.record({ rules: fc.array(anyNetworkText, { minLength: 1, maxLength: 4 }), ip: client });
    const inside = one.chain(({ rules, ip }) =>
      fc
        .constantFrom(ip, ...rules.map((rule) => rule.split("/")[0] ?? ""))
        .map((chosen) => ({ rules, ip: chosen })),
    );
    const cases = fc.sample(inside, { numRuns: RUNS, seed });
    const answers = await ask(cases);
    const answerSchema = Compile(
      Type.Object({
        rules: Type.Array(Type.Union([Type.String(), Type.Null()])),
        client: Type.Boolean(),
        inside: Type.Boolean(),
      }),
    );
    let matched = 0;
    for (const [index, { rules, ip }] of cases.entries()) {
      const answer = answerSchema.Parse(answers[index]);
      const list = rules.filter((_, place) => answer.rules[place] !== null);
      const where = `${JSON.stringify({ rules, ip })}: Python ${JSON.stringify(answer)}`;
      const own = rules.map(kept);
      if (JSON.stringify(own) !== JSON.stringify(answer.rules)) {
        expect.fail(`${where}, Sluice ${JSON.stringify(own)}`);
      }
      const policy = compilePolicy({ name: "all", allowRealtime: true, ips: { mode: "specified", list } });
      const decision = decide(policy, { action: "connect", ip }, 0);
      const expected = answer.inside ? "allowed" : answer.client ? "ip_not_authorized" : "missing_client_ip";
      const given = decision.allowed ? "allowed" : decision.code;
      if (given !== expected) expect.fail(`${where}, Sluice ${given}`);
      if (decision.allowed) matched += 1;
    }
    expect(matched).to.be.greaterThan(RUNS * 0.1);
  });
});
