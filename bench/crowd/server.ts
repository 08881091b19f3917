import { Agent, request } from "node:http";
import { extname } from "node:path";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { Child, nowMs } from "./child.ts";

const PROCESS = new URL(`server-process${extname(import.meta.url)}`, import.meta.url).href;
export const ADMIN_TOKEN = "crowd-admin-token-0123456789";

const Started = Type.Object({ port: Type.Number(), adminUrl: Type.String(), pid: Type.Number() });
const Load = Type.Object({
  p50: Type.Number(),
  p99: Type.Number(),
  max: Type.Number(),
  cpuMs: Type.Number(),
});
const Census = Type.Object({
  rss: Type.Number(),
  heapBytes: Type.Number(),
  external: Type.Number(),
  arrayBuffers: Type.Number(),
  /** What keeps the process alive, by kind. */
  resources: Type.Record(Type.String(), Type.Number()),
});
const Key = Type.Object({ id: Type.String(), secret: Type.String(), version: Type.Number() });
const readKey = Compile(Key);
const Page = Type.Object({
  members: Type.Array(Type.Object({ id: Type.String() })),
  count: Type.Number(),
  next: Type.Union([Type.String(), Type.Null()]),
});
const readPage = Compile(Page);

export type Load = Static<typeof Load>;
export type Census = Static<typeof Census>;
export type Key = Static<typeof Key>;
export type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly sentMs: number;
  readonly answeredMs: number;
};

/** A server in a process of its own. One that was made and not started has loaded its program. */
export class ServerProcess {
  readonly child = new Child(PROCESS);
  readonly #agent = new Agent({ keepAlive: true });
  port = 0;
  adminUrl = "";

  async start(store: string, keySweepSeconds = 5): Promise<this> {
    const started = await this.child.call(Started, "start", {
      store,
      keySweepSeconds,
      adminToken: ADMIN_TOKEN,
    });
    this.port = started.port;
    this.adminUrl = started.adminUrl;
    return this;
  }

  /** Event-loop delay (ms) and processor time of the server since the call before. */
  load(): Promise<Load> {
    return this.child.call(Load, "load");
  }

  /** What the server holds; with `collect` after a collection of garbage, which stops it for a moment. */
  census(collect = false): Promise<Census> {
    return this.child.call(Census, "census", collect ? { collect } : {});
  }

  admin(
    method: string,
    path: string,
    options: { body?: unknown; version?: number | undefined } = {},
  ): Promise<Answer> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    return this.#send(method, `${this.adminUrl}/admin/v1${path}`, options.body, {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(options.body === undefined ? {} : { "content-type": type }),
      ...(options.version === undefined ? {} : { "if-match": `"${options.version}"` }),
    });
  }

  async createKey(settings: object = {}): Promise<Key> {
    const body = { name: "crowd", allowRealtime: true, ...settings };
    const answer = await this.admin("POST", "/keys", { body });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer));
    return readKey.Parse(answer.body);
  }

  /** Publish to each of the channels. */
  async mark(apiKey: string, channels: readonly string[]): Promise<void> {
    // One after the other: together they are a burst of deliveries, which is not what is measured.
    for (const channel of channels) {
      const body = { channel, eventName: "marker", message: { sentMs: nowMs() } };
      const answer = await this.#send("POST", `http://127.0.0.1:${this.port}/channels/publish`, body, {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
      });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    }
  }

  /** The status that a secret gets on the channel API: 200 when it may, 401 when it is nobody's. */
  async statusOf(apiKey: string): Promise<number> {
    const url = `http://127.0.0.1:${this.port}/channels/members?channel=any`;
    return (await this.#send("GET", url, undefined, { authorization: `Bearer ${apiKey}` })).status;
  }

  /** All pages of a channel's members. */
  async membersOf(apiKey: string, channel: string): Promise<{ ids: string[]; count: number }> {
    const ids: string[] = [];
    let after: string | null = null;
    let count = 0;
    do {
      const query = new URLSearchParams({ channel, limit: "1000", ...(after === null ? {} : { after }) });
      const url = `http://127.0.0.1:${this.port}/channels/members?${query}`;
      const answer = await this.#send("GET", url, undefined, { authorization: `Bearer ${apiKey}` });
      const page: Static<typeof Page> = readPage.Parse(answer.body);
      for (const { id } of page.members) ids.push(id);
      after = page.next;
      count = page.count;
    } while (after !== null);
    return { ids, count };
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.child.stop(signal);
    this.#agent.destroy();
  }

  #send(method: string, url: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sentMs = nowMs();
      const sent = request(url, { method, headers, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          const answeredMs = nowMs();
          const answer: unknown = text === "" ? undefined : JSON.parse(text);
          resolve({ status: response.statusCode ?? 0, body: answer, sentMs, answeredMs });
        });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
