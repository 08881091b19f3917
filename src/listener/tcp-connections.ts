import { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import type { FairBudget } from "../lib/fair-budget.ts";
import { LinkedList } from "../lib/linked-list.ts";
import type { Logger } from "../observe/log.ts";
import { addressGroup } from "../policy/index.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { UnsentAnswers } from "./unsent-answers.ts";

export type TcpLimits = {
  /** TCP connections of one listener, WebSockets included. */
  readonly maxConnections: number;
  /** Of these, how many of one address may be open before a key was accepted on them. */
  readonly maxUnprovenPerAddress: number;
  /** A trusted proxy carries everybody: the limit of one address is not for it. */
  readonly isProxy: (address: string) => boolean;
  /** Bytes of answers that nobody has read, of all listeners together. */
  readonly unsent: FairBudget;
  /** How long an answer may wait for its reader without any progress. */
  readonly stalledAnswerMs: number;
  readonly log: Pick<Logger, "warn">;
};

/** What is said of a limit that is met is said once in this time. */
const WARN_EVERY_MS = 60_000;

/** How many proven connections are looked at for one that is idle. Those at work move to the end, so the next look goes on from there. */
const IDLE_LOOKS = 64;

/**
 * The open TCP connections of one listener, within a limit. One on which a key was accepted (an authenticated HTTP call, a realtime
 * CONNECT) is proven. Where the limit is met, the unproven one whose last request is longest ago gives way, then the proven one
 * that has been idle longest between two HTTP requests; when all are at work, the new one is refused.
 *
 * Owns each from `add` to its `close`.
 */
export class TcpConnections {
  readonly #limits: TcpLimits;
  readonly #unsent: UnsentAnswers;
  /** Undefined: a WebSocket whose key was accepted. */
  readonly #open = new Map<Duplex, TcpConnection | undefined>();
  /** Each list begins with the one that has been silent longest. */
  readonly #unproven = new LinkedList<TcpConnection>();
  readonly #proven = new LinkedList<TcpConnection>();
  /** The unproven ones of each address group. */
  readonly #groups = new Map<string, LinkedList<TcpConnection>>();
  #waitingRequests = 0;
  /** Over connections that have closed. */
  #receivedBytes = 0;
  #sentBytes = 0;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  readonly #onClose: (this: Socket) => void;

  constructor(limits: TcpLimits) {
    this.#limits = limits;
    this.#unsent = new UnsentAnswers(limits.unsent, limits.stalledAnswerMs);
    const connections = this;
    this.#onClose = function onClose(this: Socket): void {
      connections.#receivedBytes += this.bytesRead;
      connections.#sentBytes += this.bytesWritten;
      connections.#remove(this);
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** What came in and went out over all connections since the start, those that are open included: a few milliseconds for 10,000. */
  get traffic(): { readonly receivedBytes: number; readonly sentBytes: number } {
    let [receivedBytes, sentBytes] = [this.#receivedBytes, this.#sentBytes];
    for (const socket of this.#open.keys()) {
      if (!(socket instanceof Socket)) continue;
      receivedBytes += socket.bytesRead;
      sentBytes += socket.bytesWritten - socket.writableLength;
    }
    return { receivedBytes, sentBytes };
  }

  get limit(): number {
    return this.#limits.maxConnections;
  }

  get unprovenCount(): number {
    return this.#unproven.size;
  }

  /** How many have an answer that the system has not taken yet. */
  get sendingCount(): number {
    return this.#unsent.size;
  }

  /** Requests that wait for the answer before theirs, of all connections. */
  get waitingRequests(): number {
    return this.#waitingRequests;
  }

  /** @returns whether it may stay; if not, it is destroyed. One that is known stays as it is. */
  add(socket: Socket): boolean {
    if (this.#open.has(socket)) return true;
    if (this.#open.size >= this.#limits.maxConnections && !this.evict()) {
      socket.destroy();
      return false;
    }
    const address = socket.remoteAddress;
    const name = addressGroup(address ?? null);
    const isProxy = address !== undefined && this.#limits.isProxy(address);
    const group = isProxy ? undefined : name;
    const connection = new TcpConnection(socket, group, `address ${name}`, this.#unsent);
    this.#open.set(socket, connection);
    this.#unproven.append(connection.order);
    if (group !== undefined) this.#joinGroup(group, connection);
    socket.on("close", this.#onClose);
    return true;
  }

  /** Undefined when it is closed, or is a WebSocket whose key was accepted. */
  of(socket: Duplex): TcpConnection | undefined {
    return this.#open.get(socket);
  }

  /** A whole request came: from now on it counts as silent anew. */
  touch(connection: TcpConnection): void {
    connection.order.list?.append(connection.order);
    connection.inGroup.list?.append(connection.inGroup);
  }

  /** A key was accepted on it. `owner`: the key's id, which is charged for what the connection holds; absent where no key is asked for. */
  prove(socket: Duplex, owner?: string): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    if (owner !== undefined && owner !== connection.owner) this.#unsent.changeOwner(connection, owner);
    if (connection.isProven) return;
    connection.isProven = true;
    this.#leaveGroup(connection);
    if (connection.isUpgraded) this.#handOver(connection);
    else this.#proven.append(connection.order);
  }

  /** It is a WebSocket from now on. */
  upgraded(connection: TcpConnection): void {
    connection.isUpgraded = true;
    connection.response = undefined;
    if (connection.isProven) this.#handOver(connection);
  }

  /** Whether whoever is charged for this connection has to read before more is answered. */
  isOverUnsent(connection: TcpConnection): boolean {
    return this.#unsent.isOver(connection.owner);
  }

  /** A request begins (`-1`) or has to wait (`1`). */
  countWaiting(by: 1 | -1): void {
    this.#waitingRequests += by;
  }

  /** Make room for one. @returns whether there was one that could go */
  evict(): boolean {
    const connection = this.#unproven.first?.value ?? this.#findIdle();
    this.#warn(connection === undefined);
    if (connection === undefined) return false;
    connection.socket.destroy();
    this.#remove(connection.socket);
    return true;
  }

  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #joinGroup(group: string, connection: TcpConnection): void {
    let members = this.#groups.get(group);
    if (members === undefined) {
      members = new LinkedList();
      this.#groups.set(group, members);
    }
    members.append(connection.inGroup);
    const silent = members.size > this.#limits.maxUnprovenPerAddress ? members.first?.value : undefined;
    if (silent === undefined) return;
    this.#warn(false);
    silent.socket.destroy();
    this.#remove(silent.socket);
  }

  #leaveGroup(connection: TcpConnection): void {
    const { group, inGroup } = connection;
    const members = inGroup.list;
    if (group === undefined || members === undefined) return;
    members.remove(inGroup);
    if (members.size === 0) this.#groups.delete(group);
  }

  /** The realtime side owns it now; here it only counts. */
  #handOver(connection: TcpConnection): void {
    connection.order.list?.remove(connection.order);
    this.#unsent.forget(connection);
    this.#open.set(connection.socket, undefined);
  }

  #findIdle(): TcpConnection | undefined {
    for (let looks = 0; looks < IDLE_LOOKS; looks += 1) {
      const connection = this.#proven.first?.value;
      if (connection === undefined || connection.isIdle) return connection;
      this.#proven.append(connection.order);
    }
    return undefined;
  }

  #remove(socket: Socket): void {
    const connection = this.#open.get(socket);
    this.#open.delete(socket);
    if (connection === undefined) return;
    connection.order.list?.remove(connection.order);
    this.#leaveGroup(connection);
    this.#unsent.forget(connection);
    this.#waitingRequests -= (connection.waiting?.length ?? 0) + connection.ignored;
    connection.waiting = undefined;
    connection.ignored = 0;
  }

  #warn(isRefused: boolean): void {
    const nowMs = performance.now();
    if (nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = nowMs;
    const figures = { connections: this.#open.size, unproven: this.#unproven.size };
    if (isRefused) this.#limits.log.warn(figures, "too many TCP connections: new ones are refused");
    else this.#limits.log.warn(figures, "too many TCP connections: the silent ones give way");
  }
}
