import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { socketIoArguments, steps, type Work } from "../load/scripts.ts";
import { endNow, spawnOn, within } from "../processes.ts";
import { compiled, debianFile, uwsModule } from "./packages.ts";

export const PEERS = {
  sluice: "Sluice",
  "sluice-bare": "Sluice without history",
  "sluice-rooms": "Sluice over Socket.IO's rooms",
  "socket.io": "Socket.IO",
  ws: "ws, a loop of sends",
  uws: "uWebSockets.js",
  nchan: "Nchan",
  nats: "NATS over WebSocket",
};
export type PeerKind = keyof typeof PEERS;

export function isPeer(name: string): name is PeerKind {
  return Object.hasOwn(PEERS, name);
}

/** A server that is measured, pinned to the first core. */
export type Peer = {
  readonly port: number;
  readonly pid: number;
  /** How the load client talks to it. */
  readonly loadArguments: readonly string[];
  stop(): Promise<void>;
};

const Listening = Compile(Type.Object({ port: Type.Number(), adminUrl: Type.Optional(Type.String()) }));
const CreatedKey = Compile(Type.Object({ secret: Type.String() }));
const ADMIN_TOKEN = "bench-admin-token-0123456789";
const START_LIMIT_MS = 20_000;
let nodeProcess: string | undefined;
const UWS_PROCESS = fileURLToPath(new URL("./uws-process.mjs", import.meta.url));

/** Start a server. @throws when it cannot be had on this machine */
export async function startPeer(kind: PeerKind, work: Work): Promise<Peer> {
  if (kind === "nchan") return startNchan();
  if (kind === "nats") return startNats();
  nodeProcess ??= compiled("node-process");
  const program = kind === "uws" ? [UWS_PROCESS, uwsModule()] : [nodeProcess, kind, ADMIN_TOKEN];
  const child = pinned(process.execPath, program);
  if (child.stdout === null) throw new Error("the server has no output");
  const ended = once(child, "exit").then(() => {
    throw new Error(`${PEERS[kind]} did not start`);
  });
  ended.catch(() => {});
  const said = Promise.race([once(createInterface(child.stdout), "line"), ended]);
  const line: unknown = await within(START_LIMIT_MS, `${PEERS[kind]} starts`, said).then(
    ([first]) => first,
    async (error: unknown) => {
      await endNow(child);
      throw error;
    },
  );
  const { port, adminUrl } = Listening.Parse(JSON.parse(String(line)));
  const apiKey = adminUrl === undefined ? undefined : await createdKey(adminUrl);
  const loadArguments =
    kind === "uws" ? uwsArguments(work) : kind === "ws" ? wsArguments() : socketIoArguments(apiKey, work);
  return peerOf(child, port, loadArguments);
}

/** A key of realtime for a Sluice. The connection ends with the answer, so that none is left beside those measured. */
async function createdKey(adminUrl: string): Promise<string> {
  const response = await fetch(`${adminUrl}/admin/v1/keys`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      "content-type": "application/json",
      connection: "close",
    },
    body: JSON.stringify({ name: "bench", allowRealtime: true }),
  });
  return CreatedKey.Parse(JSON.parse(await response.text())).secret;
}

function uwsArguments({ channels, each }: Work): string[] {
  const member = ["W:ready"];
  for (let index = 0; index < each; index += 1) member.push(`S:room-{${index}}`, "W:joined");
  return [
    ["--path", "/member", "--publisher-path", "/publisher", ...steps(member, ["W:ready"])],
    ["--channels", String(channels), "--each", String(each), "--prefix", "room-{channel}|"],
  ].flat();
}

function wsArguments(): string[] {
  return ["--path", "/member", "--publisher-path", "/publisher", ...steps(["W:ready"], ["W:ready"])];
}

async function startNchan(): Promise<Peer> {
  const packages = ["nginx", "libnginx-mod-nchan"];
  const nginx = debianFile(packages, "usr/sbin/nginx");
  const nchan = debianFile(packages, "usr/lib/nginx/modules/ngx_nchan_module.so");
  const [folder, port] = [mkdtempSync(join(tmpdir(), "sluice-nchan-")), await freePort()];
  // Nchan makes a location of its own, which has the paths that Debian built in.
  mkdirSync("/var/lib/nginx", { recursive: true });
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `load_module ${nchan}; daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 19000; }
http {
  access_log off; ${paths}
  nchan_max_reserved_memory 512M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /member { nchan_subscriber websocket; nchan_channel_id room; nchan_subscriber_first_message newest; }
    location = /publisher {
      nchan_publisher websocket; nchan_channel_id room;
      nchan_message_buffer_length 1000; nchan_message_timeout 120s;
    }
  }
}
`,
  );
  const child = pinned(nginx, ["-p", folder, "-c", file]);
  await isListening(port, child);
  const loadArguments = ["--path", "/member", "--publisher-path", "/publisher"];
  return peerOf(child, port, loadArguments, folder);
}

async function startNats(): Promise<Peer> {
  const nats = debianFile(["nats-server"], "usr/sbin/nats-server");
  const [folder, port] = [mkdtempSync(join(tmpdir(), "sluice-nats-")), await freePort()];
  const file = join(folder, "nats.conf");
  writeFileSync(
    file,
    `listen: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true }\nlogfile: "${folder}/log"\n`,
  );
  const child = pinned(nats, ["-c", file], { GOMAXPROCS: "1" });
  await isListening(port, child);
  const connect = 'CONNECT {"verbose":false,"pedantic":false}\r\n';
  const member = ["W:INFO", `B:${connect}SUB room 1\r\nPING\r\n`, "W:PONG"];
  const publisher = ["W:INFO", `B:${connect}PING\r\n`, "W:PONG"];
  const loadArguments = ["--nats", "--binary", ...steps(member, publisher)];
  loadArguments.push("--prefix", "PUB room 100\r\n", "--suffix", "\r\n");
  return peerOf(child, port, loadArguments, folder);
}

function pinned(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawnOn(0, program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
}

function peerOf(child: ChildProcess, port: number, loadArguments: string[], folder?: string): Peer {
  const { pid } = child;
  if (pid === undefined) throw new Error("the server has no process");
  const args = ["--port", String(port), "--pid", String(pid), ...loadArguments];
  return {
    port,
    pid,
    loadArguments: args,
    async stop() {
      await endNow(child);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port is free");
  return address.port;
}

/** Until the server takes connections, or has ended. */
export async function isListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer !== undefined) return;
    await delay(50);
  }
  throw new Error(`nothing listens on ${port}`);
}
