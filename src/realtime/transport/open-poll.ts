import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The latest poll of a session, and the TCP connection that its answer goes to. */
export class OpenPoll {
  readonly #response: ServerResponse;
  readonly #tcp: Socket;
  readonly #readBytes: number;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response;
    this.#tcp = request.socket;
    this.#readBytes = this.#tcp.bytesRead;
  }

  /** Its answer is not with the system yet: whoever asked does not read. */
  get isUnread(): boolean {
    return !this.#response.writableFinished && !this.#tcp.destroyed;
  }

  /** It was answered, and the answer is left unread. */
  get isLeft(): boolean {
    return this.#response.writableEnded && this.isUnread;
  }

  /** Engine.IO did not take it. */
  get isRefused(): boolean {
    return this.#response.statusCode >= 400;
  }

  /** End the TCP connection, unless it has been used for something else since: a proxy shares it among clients. */
  destroy(): void {
    if (this.isUnread || this.#tcp.bytesRead === this.#readBytes) this.#tcp.destroy();
  }
}
