import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Link } from "../lib/linked-list.ts";
import type { HttpResponse } from "./http-response.ts";
import type { UnsentAnswers } from "./unsent-answers.ts";

/** A request that has arrived, and what it is answered with. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: HttpResponse;
  /** It came with `Expect: 100-continue`. */
  readonly awaitsContinue: boolean;
};

/**
 * What a listener keeps of one TCP connection that speaks HTTP, or on which no key was accepted yet. A WebSocket whose key was
 * accepted has none: it is the realtime side's.
 */
export class TcpConnection {
  readonly socket: Socket;
  /** Whom it counts for before a key is known; undefined for a trusted proxy, which carries everybody. */
  readonly group: string | undefined;
  /** Who is charged for what it holds: an API key's id, or `address <group>`. */
  owner: string;
  /** Its place in the order of silence. */
  readonly order = new Link<TcpConnection>(this);
  /** Its place among those of its group, until it is proven. */
  readonly inGroup = new Link<TcpConnection>(this);
  isProven = false;
  isUpgraded = false;
  /** Nothing that comes after the request of now is answered any more. */
  isLast = false;
  /** The answer was sent before the request was read to its end. */
  isBodyUnread = false;
  /** Of the request that was begun last, until the system has all of it. */
  response: HttpResponse | undefined = undefined;
  /** Requests that came before the answer to the one before was with the system; made when there is one. */
  waiting: Exchange[] | undefined = undefined;
  /** How many requests Node holds for it that will not be answered. */
  ignored = 0;
  /** What {@link UnsentAnswers} counted last. */
  unsentBytes = 0;
  takenBytes = 0;
  stalledSinceMs = 0;
  readonly #unsent: UnsentAnswers;
  #isAbortedCheaply = false;

  constructor(socket: Socket, group: string | undefined, owner: string, unsent: UnsentAnswers) {
    this.socket = socket;
    this.group = group;
    this.owner = owner;
    this.#unsent = unsent;
  }

  /** Whether the system has every answer that was begun. */
  get isIdle(): boolean {
    return this.response === undefined || this.response.writableFinished;
  }

  /** Bytes were written that the system did not take at once. */
  countUnsent(): void {
    this.#unsent.count(this);
  }

  /**
   * When a connection closes, Node makes an error for each request that had been pipelined on it, and reads its stack. With tens of
   * requests on each of many connections the stacks would hold the event loop for long, and nobody looks at them.
   */
  abortCheaply(): void {
    if (this.#isAbortedCheaply) return;
    this.#isAbortedCheaply = true;
    let limit = Error.stackTraceLimit;
    this.socket.prependListener("close", () => {
      limit = Error.stackTraceLimit;
      Error.stackTraceLimit = 0;
    });
    // Node's own listener, which makes the errors, is between the two.
    this.socket.on("close", () => {
      Error.stackTraceLimit = limit;
    });
  }
}
