import { Agent, request } from "node:http";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { ADMIN_TOKEN } from "../crowd/server.ts";

const Key = Compile(Type.Object({ id: Type.String(), secret: Type.String(), version: Type.Number() }));
const Version = Compile(Type.Object({ version: Type.Number() }));

/** The HTTP side of the server: the admin API and the channel API, over a few kept connections. */
export class HttpDoor {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #url: string;
  readonly #adminUrl: string;

  constructor(url: string, adminUrl: string) {
    this.#url = url;
    this.#adminUrl = adminUrl;
  }

  async createKey(settings: object): Promise<{ id: string; secret: string; version: number }> {
    return Key.Parse(await this.#admin("POST", "/keys", { allowRealtime: true, ...settings }));
  }

  /** Change a key's settings by a merge patch. @returns its new version. */
  async patchKey(id: string, version: number, patch: object): Promise<number> {
    return Version.Parse(await this.#admin("PATCH", `/keys/${id}`, patch, version)).version;
  }

  async deleteKey(id: string, version: number): Promise<void> {
    await this.#admin("DELETE", `/keys/${id}`, undefined, version);
  }

  /** A call of the channel API. @throws when it is refused. */
  call(method: string, path: string, apiKey: string, body?: object): Promise<unknown> {
    return this.#send(method, `${this.#url}${path}`, body, { authorization: `Bearer ${apiKey}` });
  }

  close(): void {
    this.#agent.destroy();
  }

  #admin(method: string, path: string, body?: object, version?: number): Promise<unknown> {
    return this.#send(method, `${this.#adminUrl}/admin/v1${path}`, body, {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(version === undefined ? {} : { "if-match": `"${version}"` }),
    });
  }

  #send(
    method: string,
    url: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<unknown> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const typed = body === undefined ? headers : { ...headers, "content-type": type };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, headers: typed, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode = 0 } = response;
          if (statusCode >= 300) reject(new Error(`${method} ${url}: ${statusCode} ${text}`));
          else resolve(text === "" ? undefined : JSON.parse(text));
        });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
