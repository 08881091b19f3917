import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { FairBudget } from "../lib/fair-budget.ts";
import type { TcpConnection } from "./tcp-connection.ts";

const SWEEP_MS = 1_000;

/** How often at most all connections are counted anew because the budget is exceeded. */
const RECOUNT_MS = 10;

/**
 * The answers that clients have not read: bytes that were written and that the system has not taken. Each connection may stand still
 * for a time and no longer, and all of them share one budget, in which the connections of whoever holds most give way.
 *
 * Owns the connections in `#sending`, each until its answer is with the system or it is closed, and one timer while there are any.
 */
export class UnsentAnswers {
  readonly #budget: FairBudget;
  readonly #stalledMs: number;
  readonly #sending = new Set<TcpConnection>();
  #timer: NodeJS.Timeout | undefined;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(budget: FairBudget, stalledMs: number) {
    this.#budget = budget;
    this.#stalledMs = stalledMs;
  }

  /** How many connections have an answer that the system has not taken. */
  get size(): number {
    return this.#sending.size;
  }

  /** Bytes were written to this connection. May end the connection that holds most, which may be this one. */
  count(connection: TcpConnection): void {
    if (connection.socket.destroyed) return;
    this.#recount(connection);
    if (connection.unsentBytes === 0) return;
    if (!this.#sending.has(connection)) {
      this.#sending.add(connection);
      connection.takenBytes = takenBytes(connection.socket);
      connection.stalledSinceMs = performance.now();
      this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    }
    if (this.#budget.isExceeded) this.#relieve();
  }

  /** Whether this owner has to read before more is answered: the budget is used up, and the owner holds more than its share. */
  isOver(owner: string): boolean {
    if (this.#budget.total < this.#budget.max) return false;
    this.#recountAll();
    return this.#budget.total >= this.#budget.max && this.#budget.amountOf(owner) >= this.#budget.fairShare;
  }

  /** What it holds is charged to another one from now on. */
  changeOwner(connection: TcpConnection, owner: string): void {
    this.#budget.discharge(connection.owner, connection.unsentBytes);
    connection.owner = owner;
    this.#budget.charge(owner, connection.unsentBytes);
  }

  /** It is closed, or speaks HTTP no longer. */
  forget(connection: TcpConnection): void {
    if (connection.unsentBytes > 0) {
      this.#budget.discharge(connection.owner, connection.unsentBytes);
      connection.unsentBytes = 0;
    }
    if (!this.#sending.delete(connection) || this.#sending.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #recount(connection: TcpConnection): void {
    const { socket, response } = connection;
    // Before a response has its socket, what was written waits in itself.
    const now = Math.max(socket.writableLength, response?.writableLength ?? 0);
    const more = now - connection.unsentBytes;
    if (more > 0) this.#budget.charge(connection.owner, more);
    else if (more < 0) this.#budget.discharge(connection.owner, -more);
    connection.unsentBytes = now;
  }

  #recountAll(): void {
    const nowMs = performance.now();
    if (nowMs - this.#countedAtMs < RECOUNT_MS) return;
    this.#countedAtMs = nowMs;
    for (const connection of this.#sending) this.#recount(connection);
  }

  /** Ends connections of whoever holds most, the fullest first, until the budget holds. */
  #relieve(): void {
    this.#recountAll();
    while (this.#budget.isExceeded) {
      const name = this.#budget.largest?.name;
      let fullest: TcpConnection | undefined;
      for (const one of this.#sending) {
        if (one.owner === name && one.unsentBytes > (fullest?.unsentBytes ?? 0)) fullest = one;
      }
      // The budget is shared with the other listener, which ends its own.
      if (fullest === undefined) return;
      fullest.socket.destroy();
      this.forget(fullest);
    }
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#sending) {
      this.#recount(connection);
      if (connection.unsentBytes === 0) {
        this.forget(connection);
        continue;
      }
      const taken = takenBytes(connection.socket);
      if (taken !== connection.takenBytes) {
        connection.takenBytes = taken;
        connection.stalledSinceMs = nowMs;
      } else if (nowMs - connection.stalledSinceMs >= this.#stalledMs) {
        connection.socket.destroy();
        this.forget(connection);
      }
    }
  }
}

/**
 * How many bytes the system has taken of what was written. Node counts a write as a whole once it is handed to libuv, and
 * `writableLength` falls only when all of it is taken: a slow reader of one large answer would seem to stand still. libuv's own
 * queue (which Node's socket timeouts look at, too) shrinks with each byte.
 */
function takenBytes(socket: Socket): number {
  const handle: unknown = "_handle" in socket ? socket._handle : undefined;
  if (
    typeof handle === "object" &&
    handle !== null &&
    "bytesWritten" in handle &&
    typeof handle.bytesWritten === "number" &&
    "writeQueueSize" in handle &&
    typeof handle.writeQueueSize === "number"
  )
    return handle.bytesWritten - handle.writeQueueSize;
  return socket.bytesWritten - socket.writableLength;
}
