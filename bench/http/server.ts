import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { compiled, debianFile, PEER_FOLDER } from "../peers/packages.ts";
import { freePort, isListening } from "../peers/peer.ts";
import { endNow, spawnOn, within } from "../processes.ts";
import type { Answer, Task } from "./answer.ts";
import { CASES, type HttpCase, type HttpPeer, ORIGIN } from "./cases.ts";

const START_LIMIT_MS = 20_000;
const ADMIN_TOKEN = "bench-admin-token-0123456789";
/** Of our form and with a good checksum, so that only a look-up finds that nobody has it. */
export const UNKNOWN_SECRET = "an-imported-secret-that-no-key-has-0123456789";
const Listening = Compile(Type.Object({ port: Type.Number(), adminUrl: Type.Optional(Type.String()) }));
const CreatedKey = Compile(Type.Object({ secret: Type.String() }));
let httpProcess: string | undefined;

/** A server that is measured, on the first core. */
export type HttpServer = {
  readonly port: number;
  readonly pid: number;
  readonly secret: string;
  stop(): Promise<void>;
};

/** Sluice, with a key whose domains, addresses and endpoints are all checked. */
export async function startSluice(): Promise<HttpServer> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-http-"));
  const task: Task = { kind: "sluice", adminToken: ADMIN_TOKEN, secret: "", answers: [], modules: folder };
  const { child, port, adminUrl } = await startNode(task);
  const response = await fetch(`${adminUrl}/admin/v1/keys`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      "content-type": "application/json",
      connection: "close",
    },
    body: JSON.stringify({
      name: "bench",
      endpoints: { mode: "custom-allowed", list: ["list-orders", "take-order"] },
      domains: { mode: "specified", list: [ORIGIN, "https://*.example.net"] },
      ips: { mode: "specified", list: ["127.0.0.0/8", "10.0.0.0/8"] },
    }),
  });
  const { secret } = CreatedKey.Parse(JSON.parse(await response.text()));
  return serverOf(child, port, secret, folder);
}

/** A peer that answers as Sluice did, or as one would write it without. @throws when it cannot be had here */
export async function startHttpPeer(
  kind: HttpPeer,
  secret: string,
  answers: readonly Answer[],
): Promise<HttpServer> {
  if (kind === "nginx") return startNginx(answers);
  const modules = kind === "express" ? expressFolder() : undefined;
  const task = { kind, adminToken: ADMIN_TOKEN, secret, answers: [...answers] };
  const { child, port } = await startNode(modules === undefined ? task : { ...task, modules });
  return serverOf(child, port, secret);
}

/** What Sluice answers to each case. @throws when that is not what the case is about */
export async function answersOf(server: HttpServer): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const one of CASES) {
    const { name, method, path, body } = one;
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { ...headersOf(one, server.secret), connection: "close" },
      ...(body === undefined ? {} : { body }),
    });
    if (response.status !== one.status) throw new Error(`${name}: answered ${response.status}`);
    const own = ["connection", "date", "keep-alive", "content-length", "transfer-encoding"];
    const headers = [...response.headers].filter(([header]) => !own.includes(header));
    answers.push({ name, method, path, status: one.status, headers, body: await response.text() });
  }
  return answers;
}

/** The headers that a case sends to a server. */
export function headersOf({ headers, key }: HttpCase, secret: string): Record<string, string> {
  if (key === "none") return headers;
  return { ...headers, "x-api-key": key === "known" ? secret : UNKNOWN_SECRET };
}

async function startNode(task: Task) {
  httpProcess ??= compiled("http-process");
  const child = spawnOn(0, process.execPath, [...nodeFlags(), httpProcess, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the server has no output");
  const ended = once(child, "exit").then(() => {
    throw new Error(`${task.kind} did not start`);
  });
  ended.catch(() => {});
  const said = Promise.race([once(createInterface(child.stdout), "line"), ended]);
  const [line]: unknown[] = await within(START_LIMIT_MS, `${task.kind} starts`, said);
  return { child, ...Listening.Parse(JSON.parse(String(line))) };
}

/** `NODE_FLAGS=--cpu-prof` profiles the servers. */
function nodeFlags(): string[] {
  return (process.env["NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
}

async function startNginx(answers: readonly Answer[]): Promise<HttpServer> {
  const nginx = debianFile(["nginx"], "usr/sbin/nginx");
  const [folder, port] = [mkdtempSync(join(tmpdir(), "sluice-nginx-")), await freePort()];
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const locations = answers
    .filter(({ name }) => name === "get")
    .map(({ path, status, headers, body }) => {
      const added = headers
        .filter(([name]) => name !== "content-type")
        .map(([name, value]) => `add_header ${name} ${quoted(value)};`);
      return `location = ${path} { default_type application/json; ${added.join(" ")} return ${status} ${quoted(body)}; }`;
    });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000; ${temporary}
  server { listen 127.0.0.1:${port}; ${locations.join("\n")} }
}
`,
  );
  const child = spawnOn(0, nginx, ["-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await isListening(port, child);
  return serverOf(child, port, "", folder);
}

function expressFolder(): string {
  const folder = join(PEER_FOLDER, "express");
  if (!existsSync(join(folder, "node_modules", "express"))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}");
    const install = ["install", "--prefix", folder, "--no-audit", "--no-fund", "express@5", "cors@2"];
    execFileSync("npm", install, { stdio: "pipe" });
  }
  return folder;
}

function serverOf(child: ChildProcess, port: number, secret: string, folder?: string): HttpServer {
  const { pid } = child;
  if (pid === undefined) throw new Error("the server has no process");
  return {
    port,
    pid,
    secret,
    async stop() {
      if (process.env["NODE_FLAGS"] !== undefined) {
        child.kill("SIGINT");
        await once(child, "exit");
      }
      await endNow(child);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
