import { Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Child } from "../../bench/crowd/child.ts";
import type { ConfigInput } from "../../src/config/config.ts";
import { limitedChild, type ProcessLimits } from "./limited-child.ts";

export const OVERLOAD_ADMIN_TOKEN = "overload-admin-token-0123456789";
const Started = Type.Object({ port: Type.Number(), adminUrl: Type.String(), pid: Type.Number() });
const CensusSchema = Type.Object({
  rss: Type.Number(),
  heapUsed: Type.Number(),
  external: Type.Number(),
  arrayBuffers: Type.Number(),
  descriptors: Type.Number(),
});
export type Census = Type.Static<typeof CensusSchema>;
const Key = Compile(Type.Object({ id: Type.String(), secret: Type.String() }));
export type Key = { readonly id: string; readonly secret: string };

/** A server in a process of its own, limited in memory and open files. */
export class AttackedServer {
  readonly #child: Child;
  port = 0;
  pid = 0;
  adminUrl = "";
  /** How the process ended, if it did. */
  end: string | undefined;

  constructor(limits: ProcessLimits) {
    this.#child = limitedChild(new URL("server-process.ts", import.meta.url), { niceness: -5, ...limits });
    this.#child.process.once("exit", (code, signal) => {
      this.end = `exit ${code ?? signal}`;
    });
  }

  /** `config`: only what JSON can hold. */
  async start(config: ConfigInput = {}): Promise<this> {
    const started = await this.#child.call(Started, "start", { adminToken: OVERLOAD_ADMIN_TOKEN, config });
    this.port = started.port;
    this.adminUrl = started.adminUrl;
    this.pid = started.pid;
    return this;
  }

  /** What the process holds, after a collection of garbage. */
  census(): Promise<Census> {
    return this.#child.call(CensusSchema, "census");
  }

  async createKey(settings: object): Promise<Key> {
    const answer = await this.admin("POST", "/keys", { allowRealtime: true, ...settings });
    if (answer.status !== 201) throw new Error(`no key was made: ${await answer.text()}`);
    return Key.Parse(await answer.json());
  }

  /** A call of the admin API; a PATCH is for the version that the key has now. */
  async admin(method: string, path: string, body?: object): Promise<Response> {
    const authorization = `Bearer ${OVERLOAD_ADMIN_TOKEN}`;
    const url = `${this.adminUrl}/admin/v1${path}`;
    const headers: Record<string, string> = { authorization };
    if (method === "PATCH") {
      const read = await fetch(url, { headers });
      headers["if-match"] = read.headers.get("etag") ?? "";
      headers["content-type"] = "application/merge-patch+json";
      await read.arrayBuffer();
    } else if (body !== undefined) {
      headers["content-type"] = "application/json";
    }
    return fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
