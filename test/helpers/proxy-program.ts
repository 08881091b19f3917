import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** The name in the documents' configurations. */
export const PUBLIC_NAME = "rt.example.com";

/** Where the documents' configurations are to listen, and whom they pass requests to. */
export type ProxyPorts = { readonly port: number; readonly upstreamPort: number };

/** A proxy that the documents have a configuration for, and how a test runs that configuration without root's rights. */
export type ProxyKind = {
  readonly name: string;
  readonly files: readonly string[];
  /** The configuration as the program takes it: with the test's ports and certificate, and what it needs around it. */
  configure(text: string, at: ProxyPorts & { readonly folder: string }): string;
  readonly args: (folder: string) => readonly string[];
};

export const NGINX: ProxyKind = {
  name: "nginx",
  files: ["/usr/sbin/nginx", "/usr/bin/nginx"],
  configure: (text, { port, upstreamPort, folder }) => `
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
  ${replaced(text, {
    "listen 443": `listen 127.0.0.1:${port}`,
    "127.0.0.1:8080": `127.0.0.1:${upstreamPort}`,
    "/etc/ssl/rt.example.com.pem": `${folder}/cert.pem`,
    "/etc/ssl/rt.example.com.key": `${folder}/key.pem`,
  })}
}`,
  args: (folder) => ["-p", folder, "-c", join(folder, "config"), "-e", join(folder, "error.log")],
};

export const CADDY: ProxyKind = {
  name: "caddy",
  files: ["/usr/bin/caddy"],
  configure: (text, { port, upstreamPort, folder }) => {
    const upstream = text.includes("sluice:8080") ? "sluice:8080" : "127.0.0.1:8080";
    const site = text.includes("{$SLUICE_DOMAIN}") ? "{$SLUICE_DOMAIN} {" : "rt.example.com {";
    // A client that polls by the address sends no name.
    const own = `https://rt.example.com:${port}, https://127.0.0.1:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/cert.pem ${folder}/key.pem`;
    return `{\n\tadmin off\n\tauto_https off\n\tdefault_sni rt.example.com\n\tstorage file_system ${folder}\n}\n${replaced(
      text,
      {
        [site]: own,
        [upstream]: `127.0.0.1:${upstreamPort}`,
      },
    )}`;
  },
  args: (folder) => ["run", "--config", join(folder, "config"), "--adapter", "caddyfile"],
};

export const HAPROXY: ProxyKind = {
  name: "haproxy",
  files: ["/usr/sbin/haproxy"],
  configure: (text, { port, upstreamPort, folder }) =>
    `global\n  maxconn 256\n\n${replaced(text, {
      "bind :443": `bind 127.0.0.1:${port}`,
      "127.0.0.1:8080": `127.0.0.1:${upstreamPort}`,
      "/etc/haproxy/rt.example.com.pem": `${folder}/both.pem`,
    })}`,
  args: (folder) => ["-db", "-f", join(folder, "config")],
};

export const APACHE: ProxyKind = {
  name: "apache2",
  files: ["/usr/sbin/apache2"],
  configure: (text, { port, upstreamPort, folder }) => {
    const modules = ["mpm_event", "authz_core", "ssl", "headers", "rewrite", "proxy", "proxy_http"];
    const loads = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
    return `
ServerRoot ${folder}
ServerName rt.example.com
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Mutex file:${folder} default
ErrorLog ${folder}/error.log
${userInfo().uid === 0 ? "User www-data\nGroup www-data" : ""}
${loads.join("\n")}
Listen 127.0.0.1:${port}
${replaced(text, {
  "*:443": `127.0.0.1:${port}`,
  "127.0.0.1:8080": `127.0.0.1:${upstreamPort}`,
  "/etc/ssl/rt.example.com.pem": `${folder}/cert.pem`,
  "/etc/ssl/rt.example.com.key": `${folder}/key.pem`,
})}`;
  },
  args: (folder) => ["-f", join(folder, "config"), "-DFOREGROUND"],
};

/** Which program a {@link ProxyProgram} of this kind lacks on this machine. */
export function missingFor({ name, files }: ProxyKind): string | undefined {
  if (!files.some((file) => existsSync(file))) return name;
  return existsSync("/usr/bin/openssl") ? undefined : "openssl";
}

/** A real proxy with a configuration of the documents before a server. Its certificate is its own. */
export class ProxyProgram {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  static async start(kind: ProxyKind, text: string, ports: ProxyPorts): Promise<ProxyProgram> {
    const folder = await mkdtemp(join(tmpdir(), `sluice-${kind.name}-`));
    await certify(folder);
    await mkdir(join(folder, "home"));
    await writeFile(join(folder, "config"), kind.configure(text, { ...ports, folder }));
    const file = kind.files.find((one) => existsSync(one)) ?? kind.name;
    const env = { PATH: process.env["PATH"], HOME: join(folder, "home") };
    const child = spawn(file, kind.args(folder), { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => {
        output += String(chunk);
      });
    const proxy = new ProxyProgram(folder, child);
    try {
      await until(ports.port, child);
    } catch (error) {
      await proxy.close();
      throw new Error(`${kind.name} does not listen:\n${output}`, { cause: error });
    }
    return proxy;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill("SIGTERM")) {
      // A graceful end waits for WebSockets.
      const late = setTimeout(() => this.#child.kill("SIGKILL"), 2_000);
      await ended;
      clearTimeout(late);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function certify(folder: string): Promise<void> {
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  const names = ["-subj", `/CN=${PUBLIC_NAME}`, "-addext", `subjectAltName=DNS:${PUBLIC_NAME}`];
  execFileSync("openssl", [...request, ...names, ...files], { stdio: "pipe" });
  const both = [await readFile(join(folder, "cert.pem")), await readFile(join(folder, "key.pem"))];
  await writeFile(join(folder, "both.pem"), Buffer.concat(both));
}

/** @throws for a place that the configuration does not have */
function replaced(text: string, values: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(values)) {
    if (!result.includes(from)) throw new Error(`"${from}" is not in the configuration`);
    result = result.replaceAll(from, () => to);
  }
  return result;
}

/** Resolves when somebody listens there. */
async function until(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended with ${child.exitCode}`);
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
