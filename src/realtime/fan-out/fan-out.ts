import type { Namespace, Socket } from "socket.io";
import type { FanOut } from "../../channels/index.ts";
import type { Logger } from "../../observe/log.ts";
import type { UnsentFrames } from "../flow/unsent-frames.ts";
import type { EngineSession } from "../sessions/engine-session.ts";
import { createEncoder } from "../transport/engine-seam.ts";
import { seamFault } from "../transport/seam-check.ts";
import { FastFanOut } from "./fast-fan-out.ts";

/** A fan-out that ends with its server. */
export type NodeFanOut = FanOut & { close(): void };

export type FanOutOptions = {
  readonly namespace: Namespace;
  readonly sessionOf: (socket: Socket) => EngineSession | undefined;
  /** See {@link FastFanOutOptions}. */
  readonly ownerOf: (payload: unknown) => string;
  readonly unsent: UnsentFrames;
  readonly log: Logger;
  readonly onFault: (error: unknown) => void;
  /** Told how long each flush took: it is nobody's request. */
  readonly onFlushed?: ((ms: number) => void) | undefined;
  /** Why the fast path cannot be used, if it cannot. */
  readonly fault?: string | undefined;
};

/** The fast fan-out; over Socket.IO's rooms where the installed packages are not as it knows them. */
export function openFanOut(options: FanOutOptions): NodeFanOut {
  const { namespace, sessionOf, ownerOf, unsent, log, onFault, onFlushed } = options;
  const fault = options.fault ?? seamFault(namespace);
  if (fault !== undefined) {
    log.warn(
      { fault },
      "fan-out is slow: it goes over Socket.IO's rooms, since a package is not as expected",
    );
    return new RoomFanOut(namespace);
  }
  return new FastFanOut({
    sessionOf: (connectionId) => {
      const socket = namespace.sockets.get(connectionId);
      return socket === undefined ? undefined : sessionOf(socket);
    },
    encode: createEncoder(namespace),
    ownerOf,
    unsent,
    onFault,
    onFlushed,
  });
}

/** Channel names never begin with `$`, and every room of a channel begins with `#` or `@`. */
const EVERYONE = "$everyone";
const connectionsOf = (keyId: string | null): string => `$key ${keyId ?? ""}`;
const membersOf = (channel: string): string => `#${channel}`;
const watchersOf = (channel: string): string => `@${channel}`;

/**
 * Fan-out over Socket.IO's rooms. Joining and leaving them is synchronous, since the adapter is in memory;
 * Socket.IO takes a socket out of its rooms when it disconnects.
 */
export class RoomFanOut implements NodeFanOut {
  readonly #namespace: Namespace;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  admit(connectionId: string, keyId: string | null): void {
    this.#enter(connectionId, EVERYONE);
    this.#enter(connectionId, connectionsOf(keyId));
  }

  dismiss(connectionId: string): void {
    const socket = this.#socket(connectionId);
    if (socket === undefined) return;
    for (const room of socket.rooms) {
      if (room !== connectionId) void socket.leave(room);
    }
  }

  attach(connectionId: string, channel: string): void {
    this.#enter(connectionId, membersOf(channel));
  }

  detach(connectionId: string, channel: string): void {
    this.#exit(connectionId, membersOf(channel));
  }

  watch(connectionId: string, channel: string): void {
    this.#enter(connectionId, watchersOf(channel));
  }

  unwatch(connectionId: string, channel: string): void {
    this.#exit(connectionId, watchersOf(channel));
  }

  toMembers(channel: string, eventName: string, payload: unknown, exceptId?: string): void {
    this.#emit(membersOf(channel), eventName, payload, exceptId);
  }

  toWatchers(channel: string, eventName: string, payload: unknown, exceptId?: string): number {
    this.#emit(watchersOf(channel), eventName, payload, exceptId);
    return 0;
  }

  toEveryone(eventName: string, payload: unknown, exceptId?: string): void {
    this.#emit(EVERYONE, eventName, payload, exceptId);
  }

  toKey(keyId: string | null, eventName: string, payload: unknown, exceptId?: string): number {
    const room = connectionsOf(keyId);
    this.#emit(room, eventName, payload, exceptId);
    const hearers = this.#namespace.adapter.rooms.get(room);
    return (hearers?.size ?? 0) - (exceptId !== undefined && hearers?.has(exceptId) === true ? 1 : 0);
  }

  /** Its rooms are Socket.IO's. */
  close(): void {}

  #emit(room: string, eventName: string, payload: unknown, exceptId: string | undefined): void {
    const target = this.#namespace.to(room);
    (exceptId === undefined ? target : target.except(exceptId)).emit(eventName, payload);
  }

  #enter(connectionId: string, room: string): void {
    void this.#socket(connectionId)?.join(room);
  }

  #exit(connectionId: string, room: string): void {
    void this.#socket(connectionId)?.leave(room);
  }

  #socket(connectionId: string): Socket | undefined {
    return this.#namespace.sockets.get(connectionId);
  }
}
