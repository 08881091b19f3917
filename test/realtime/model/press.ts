import { toRecord } from "../../helpers/record.ts";
import type { TestServer } from "../../helpers/server.ts";
import { settlePublication } from "./answers.ts";
import type { Kind } from "./plan.ts";
import type { Publication } from "./trace.ts";

const LARGE = "é".repeat(12_000);
const FLOOD = "x".repeat(900_000);
const FLOODS = 9;

export type PressOptions = {
  readonly server: TestServer;
  readonly broadcastName: string;
  readonly tick: () => number;
  readonly secretOf: (key: number) => string;
};

/** Makes what is published, keeps account of it, and publishes over HTTP. */
export class Press {
  readonly publications: Publication[] = [];
  readonly #options: PressOptions;
  readonly #kinds: (Kind | "flood")[] = [];
  /** The body that was first sent under an id. */
  readonly #slots = new Map<string, number>();

  constructor(options: PressOptions) {
    this.#options = options;
  }

  messageOf(body: number): unknown {
    const kind = this.#kinds[body];
    if (kind === "binary") return { body, blob: Buffer.from(`blob ${body}`) };
    if (kind === "large") return { body, filler: LARGE };
    return kind === "flood" ? { body, filler: FLOOD } : { body };
  }

  bodyOf(slot: string, id: string | undefined, other: boolean, kind: Kind | "flood"): number {
    const known = id === undefined || other ? undefined : this.#slots.get(slot);
    if (known !== undefined) return known;
    const body = this.#kinds.push(kind) - 1;
    if (id !== undefined && !this.#slots.has(slot)) this.#slots.set(slot, body);
    return body;
  }

  note(asked: Pick<Publication, "channel" | "body" | "echo" | "id" | "visit" | "key">): Publication {
    const publication: Publication = {
      ...asked,
      sentAt: this.#options.tick(),
      ackedAt: Number.NaN,
      outcome: undefined,
    };
    this.publications.push(publication);
    return publication;
  }

  async publish(key: number, channels: readonly string[], slot: number | undefined): Promise<void> {
    const id = slot === undefined ? undefined : `http-${slot}`;
    const publications = channels.map((channel) => {
      const body = this.bodyOf(`${channel} ${key} ${id}`, id, false, "plain");
      return this.note({ channel, body, echo: true, id, visit: undefined, key });
    });
    const messages = publications.map(({ channel, body }) => ({
      channel,
      eventName: "m",
      message: this.messageOf(body),
      ...defined({ id }),
    }));
    const answer = await this.#post(
      key,
      messages.length === 1 ? "publish" : "publish/batch",
      messages.length === 1 ? messages[0] : { messages },
    );
    const { results } = answer;
    const at = this.#options.tick();
    publications.forEach((publication, index) => {
      settlePublication(
        publication,
        Array.isArray(results) ? toRecord(results[index]) : "code" in answer ? { error: answer } : answer,
        at,
      );
    });
  }

  async broadcast(): Promise<void> {
    const body = this.bodyOf("", undefined, false, "plain");
    const publication = this.note({
      channel: null,
      body,
      echo: true,
      id: undefined,
      visit: undefined,
      key: 2,
    });
    settlePublication(
      publication,
      await this.#post(2, "broadcast", {
        eventName: this.#options.broadcastName,
        message: this.messageOf(body),
      }),
      this.#options.tick(),
    );
  }

  /** More than the system's buffers take, one after the other: who does not read is cut off. */
  async flood(channel: string, isRead: () => Promise<void> | undefined): Promise<void> {
    for (let i = 0; i < FLOODS; i += 1) {
      const body = this.bodyOf("", undefined, false, "flood");
      const publication = this.note({
        channel,
        body,
        echo: true,
        id: undefined,
        visit: undefined,
        key: 2,
      });
      settlePublication(
        publication,
        await this.#post(2, "publish", { channel, eventName: "m", message: this.messageOf(body) }),
        this.#options.tick(),
      );
      await isRead();
    }
  }

  async #post(key: number, route: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#options.server.url}/channels/${route}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#options.secretOf(key)}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return toRecord(await response.json());
  }
}

export function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
