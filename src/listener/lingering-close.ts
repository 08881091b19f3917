import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** How long, and how much, is read and dropped of a body that was refused. Enough for a client to come to the answer. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 16 * 1024 * 1024;
const LOOK_MS = 100;

type End = { readonly atMs: number; readonly atBytes: number };

/**
 * Connections whose last answer went out before the request was read to its end. Closing at once would make the system reset the
 * connection, and a client that is still sending would see a broken pipe in place of the answer (RFC 9112, 9.6). So
 * the sending half is closed, and what comes is dropped for a moment.
 *
 * Owns each of them until it is closed, and one timer while there are any.
 */
export class LingeringClose {
  readonly #ends = new Map<Socket, End>();
  #timer: NodeJS.Timeout | undefined;

  has(socket: Socket): boolean {
    return this.#ends.has(socket);
  }

  /** The last bytes for it have been written. */
  begin(socket: Socket): void {
    if (this.#ends.has(socket) || socket.destroyed) return;
    this.#ends.set(socket, {
      atMs: performance.now() + LINGER_MS,
      atBytes: socket.bytesRead + LINGER_BYTES,
    });
    socket.once("end", destroy);
    socket.end();
    socket.resume();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    const nowMs = performance.now();
    for (const [socket, { atMs, atBytes }] of this.#ends) {
      if (!socket.destroyed && nowMs < atMs && socket.bytesRead < atBytes) continue;
      socket.destroy();
      this.#ends.delete(socket);
    }
    if (this.#ends.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function destroy(this: Socket): void {
  this.destroy();
}
