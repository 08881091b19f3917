import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";

/** What a reader may leave unread before it is cut off. */
const MAX_UNREAD_BYTES = 512 * 1024;
const RETRY_MS = 2_000;

/** An answer of server-sent events. It never waits for its reader: who does not read is cut off. */
export class EventStream {
  readonly #response: ServerResponse;

  constructor(reply: FastifyReply) {
    reply.hijack();
    this.#response = reply.raw;
    this.#response.on("error", () => this.#response.destroy());
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  onClose(listener: () => void): void {
    if (this.#response.destroyed) listener();
    else this.#response.once("close", listener);
  }

  send(event: string, data: unknown): void {
    this.write(frameOf(event, data));
  }

  /** A frame that many streams are sent. */
  write(frame: string): void {
    if (!this.isOpen) return;
    if (this.#response.writableLength > MAX_UNREAD_BYTES) {
      this.#response.destroy();
      return;
    }
    this.#response.write(frame);
  }

  /** Say why, and end. */
  end(code: string): void {
    if (!this.isOpen) return;
    this.#response.end(frameOf("closing", { code }));
  }
}

/** JSON has no line break in it, so that one line holds any data. */
export function frameOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
