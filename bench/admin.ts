import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { type Latencies, latenciesDuring } from "./admin/keyed-calls.ts";
import { endNow, pin, spawnOn, within } from "./processes.ts";

/*
 * What an operator's calls do to everybody else: the p99 of keyed calls while the admin API is at work. The promise is 50 ms.
 */

const BOUND_MS = 50;
const ADMIN_TOKEN = "bench-admin-token-0123456789";
const [LARGE_KEYS, DOMAINS, IMPORTED_KEYS] = [100, 15_000, 30_000];
/** Keys of one import while the store is filled. */
const FILL = 10;
const Listening = Compile(Type.Object({ url: Type.String(), adminUrl: Type.String() }));
const CreatedKey = Compile(Type.Object({ secret: Type.String() }));

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-admin-"));
const store = `lmdb:${join(folder, "store")}`;
const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const script = fileURLToPath(new URL("admin/server-process.ts", import.meta.url));
const child = spawnOn(0, process.execPath, ["--import", "tsx", script, store, ADMIN_TOKEN], {
  stdio: ["ignore", "pipe", "inherit"],
});
// Whoever measures, sends and copies has the other core.
pin(process.pid, 1);
try {
  await measure(child);
} finally {
  await endNow(child);
  rmSync(folder, { recursive: true, force: true });
}

async function measure(server: ChildProcess): Promise<void> {
  if (server.stdout === null) throw new Error("the server has no output");
  const [line] = await within(20_000, "the server's start", once(createInterface(server.stdout), "line"));
  const { url, adminUrl } = Listening.Parse(JSON.parse(String(line)));
  const admin = async (path: string, body?: string): Promise<Response> => {
    const response = await fetch(`${adminUrl}/admin/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 300)}`);
    return response;
  };
  const drain = async (path: string, body?: string): Promise<void> => {
    for await (const _ of (await admin(path, body)).body ?? []);
  };
  const made = await admin("/keys", JSON.stringify({ name: "caller", endpoints: { mode: "full-access" } }));
  const { secret } = CreatedKey.Parse(await made.json());
  for (let first = 0; first < LARGE_KEYS; first += FILL) await drain("/keys/import", largeKeys(first));
  const importFile = join(folder, "import.json");
  writeFileSync(
    importFile,
    keysBody(0, IMPORTED_KEYS, "small", () => ({ name: "imported" })),
  );

  const works: readonly (readonly [name: string, work: () => Promise<unknown>])[] = [
    ["nothing else", () => pause(3_000)],
    [
      `the list of ${LARGE_KEYS} keys of ${DOMAINS} domains is read`,
      async () => {
        for (const path of [
          "/keys?sort=name",
          "/keys?limit=1000",
          "/keys?sort=connections",
          "/keys?sort=name",
        ])
          await drain(path);
      },
    ],
    [`${IMPORTED_KEYS} keys are imported`, () => post(`${adminUrl}/admin/v1/keys/import`, importFile)],
    ["all keys are listed by name", () => drain("/keys?sort=name&limit=1000")],
    ["all keys are exported", () => drain("/keys/export", "{}")],
    ["a backup is written", backUp],
  ];
  const lines: string[] = [];
  for (const [name, work] of works) {
    const startedMs = performance.now();
    const result = await latenciesDuring(`${url}/api/ping`, secret, work);
    lines.push(lineOf(name, performance.now() - startedMs, result));
    process.stdout.write(`${lines.at(-1)}\n`);
    if (result.p99Ms > BOUND_MS || result.failed > 0) process.exitCode = 1;
  }
}

/** `sluice backup`, a process of its own on the store that the server has open. */
async function backUp(): Promise<void> {
  const args = ["--import", "tsx", cli, "backup", join(folder, "backup"), "--store", store];
  const program = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(program, "exit");
  if (code !== 0) throw new Error(`the backup ended with ${String(code)}`);
}

/** Sent by another process, so that only the server has work with it, and not whoever measures. */
async function post(url: string, file: string): Promise<void> {
  const code = `
    const { readFileSync } = await import("node:fs");
    const [url, file, token] = process.argv.slice(1);
    const headers = { authorization: "Bearer " + token, "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: readFileSync(file) });
    await answer.arrayBuffer();
    process.exit(answer.ok ? 0 : 1);`;
  const sender = spawn(process.execPath, ["--input-type=module", "-e", code, url, file, ADMIN_TOKEN], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [status] = await once(sender, "exit");
  if (status !== 0) throw new Error("the import failed");
}

function largeKeys(first: number): string {
  return keysBody(first, FILL, "large", (index) => ({
    name: `large ${index}`,
    domains: {
      mode: "specified",
      list: Array.from({ length: DOMAINS }, (_, n) => `https://customer-${n}.shop-${index}.example.com`),
    },
  }));
}

function keysBody(first: number, count: number, kind: string, settingsOf: (index: number) => object): string {
  const at = new Date().toISOString();
  const keys = Array.from({ length: count }, (_, place) => {
    const index = first + place;
    const digest = createHash("sha256").update(`${kind} ${index}`).digest("base64url");
    return {
      schema: 1,
      id: `key_${kind}${String(index).padStart(8, "0")}`,
      version: 1,
      settings: settingsOf(index),
      secrets: [{ digest, hint: "slc_…", validUntil: null }],
      createdAt: at,
      updatedAt: at,
    };
  });
  return JSON.stringify({ keys });
}

function lineOf(name: string, tookMs: number, { calls, failed, p50Ms, p99Ms, maxMs }: Latencies): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return `while ${name} (${(tookMs / 1_000).toFixed(1)} s): p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, longest ${ms(maxMs)} of ${calls} calls, ${failed} failed`;
}
