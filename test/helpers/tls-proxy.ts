import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const NGINX = ["/usr/sbin/nginx", "/usr/bin/nginx"].find((file) => existsSync(file));

/** What is missing for a {@link TlsProxy}, if anything. */
export const missingForTls =
  NGINX === undefined ? "nginx" : existsSync("/usr/bin/openssl") ? undefined : "openssl";

/** nginx with TLS before a server, under several host names; its certificate is its own. Pages come from `files`, by name. */
export class TlsProxy {
  readonly #folder: string;
  readonly #nginx: ChildProcess;
  readonly port: number;

  private constructor(folder: string, nginx: ChildProcess, port: number) {
    this.#folder = folder;
    this.#nginx = nginx;
    this.port = port;
  }

  /** `port`: where it listens, as {@link freePort} found it. */
  static async start(options: {
    port: number;
    upstreamPort: number;
    names: readonly string[];
    files: Readonly<Record<string, string>>;
    /** The line that passes Host on; nginx's own default is the address of the upstream. */
    hostLine: string;
  }): Promise<TlsProxy> {
    const { port, upstreamPort, names, files, hostLine } = options;
    const folder = await mkdtemp(join(tmpdir(), "sluice-nginx-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const subject = [
      "-subj",
      `/CN=${names[0]}`,
      "-keyout",
      join(folder, "key.pem"),
      "-out",
      join(folder, "cert.pem"),
    ];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject], {
      stdio: "pipe",
    });
    await writeFile(join(folder, "nginx.conf"), configOf({ folder, port, upstreamPort, names, hostLine }));
    const nginx = spawn(
      NGINX ?? "nginx",
      ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")],
      {
        stdio: "ignore",
      },
    );
    const proxy = new TlsProxy(folder, nginx, port);
    await until(port, nginx);
    return proxy;
  }

  async close(): Promise<void> {
    const ended = once(this.#nginx, "exit");
    if (this.#nginx.exitCode === null && this.#nginx.kill("SIGTERM")) await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody has at this moment, for programs that cannot ask the system for one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return address.port;
}

/** Resolves when somebody listens there. */
async function until(port: number, nginx: ChildProcess): Promise<void> {
  for (;;) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended with ${nginx.exitCode}`);
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
}

function configOf(options: {
  folder: string;
  port: number;
  upstreamPort: number;
  names: readonly string[];
  hostLine: string;
}): string {
  const { folder, port, upstreamPort, names, hostLine } = options;
  return `
daemon off;
${userInfo().uid === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port} ssl;
    server_name ${names.join(" ")};
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    types { text/html html; text/javascript js; }
    location / { root ${folder}; }
    location ~ ^/(realtime|api)/ {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      ${hostLine}
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
    }
  }
}
`;
}
