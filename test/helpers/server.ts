import type { Broker } from "../../src/channels/index.ts";
import { type ConfigInput, resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer, type Started } from "../../src/server.ts";
import { toRecord } from "./record.ts";

export type CreatedKey = { id: string; secret: string; version: number };

export type TestServer = {
  /** The public listener, by name: `http://localhost:<port>`. */
  url: string;
  adminUrl: string;
  adminToken: string;
  port: number;
  started: Started;
  /** A call of the admin API with the admin token. */
  admin(path: string, init?: AdminInit): Promise<AdminResponse>;
  createKey(settings?: Record<string, unknown>): Promise<CreatedKey>;
  /** Change a key's settings by its newest version. */
  patchKey(id: string, patch: Record<string, unknown>): Promise<AdminResponse>;
  deleteKey(id: string): Promise<AdminResponse>;
  close(): Promise<void>;
};

export type AdminInit = { method?: string; body?: unknown; headers?: Record<string, string>; token?: string };
export type AdminResponse = { status: number; headers: Headers; body: Record<string, unknown> };

const ADMIN_TOKEN = "test-admin-token-0123456789";

/** A server on free ports with a memory store, unless `config` says otherwise. Close it in the same test. */
export async function startServer(
  options: { dev?: boolean; config?: ConfigInput; consoleFolder?: string; broker?: Broker } = {},
): Promise<TestServer> {
  const config = resolveConfig({
    port: 0,
    adminPort: 0,
    host: "127.0.0.1",
    store: "memory:",
    adminToken: ADMIN_TOKEN,
    ...options.config,
  });
  const { consoleFolder, broker } = options;
  const server = createServer(config, {
    dev: options.dev === true,
    log: createLogger("silent"),
    ...(consoleFolder === undefined ? {} : { consoleFolder }),
    ...(broker === undefined ? {} : { broker }),
  });
  const started = await server.start();
  const { adminUrl } = started;
  const port = Number(new URL(started.url).port);

  const admin = async (path: string, init: AdminInit = {}): Promise<AdminResponse> => {
    const response = await fetch(`${adminUrl}/admin/v1${path}`, {
      method: init.method ?? "GET",
      headers: {
        authorization: `Bearer ${init.token ?? ADMIN_TOKEN}`,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: toRecord(parse(await response.text())),
    };
  };

  return {
    url: `http://localhost:${port}`,
    adminUrl,
    adminToken: ADMIN_TOKEN,
    port,
    started,
    admin,
    async createKey(settings = {}) {
      const answer = await admin("/keys", { method: "POST", body: { name: "test key", ...settings } });
      const { id, secret, version } = answer.body;
      if (typeof id !== "string" || typeof secret !== "string" || typeof version !== "number") {
        throw new Error(`no key was made: ${JSON.stringify(answer)}`);
      }
      return { id, secret, version };
    },
    async patchKey(id, patch) {
      const { headers } = await admin(`/keys/${id}`);
      return admin(`/keys/${id}`, {
        method: "PATCH",
        body: patch,
        headers: { "if-match": headers.get("etag") ?? "", "content-type": "application/merge-patch+json" },
      });
    },
    deleteKey: (id) => admin(`/keys/${id}`, { method: "DELETE" }),
    close: () => server.close(),
  };
}

function parse(text: string): unknown {
  return text === "" ? {} : JSON.parse(text);
}
