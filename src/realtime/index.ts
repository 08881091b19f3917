import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Server, type Socket } from "socket.io";
import { type Absence, type Broker, type ChannelSettings, Clients, Hub, ownerOf } from "../channels/index.ts";
import type { Gate, Identity } from "../gate/index.ts";
import type { TurnBudget } from "../lib/turn-budget.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import type { Traffic } from "../observe/traffic.ts";
import type { OverloadState } from "../overload/index.ts";
import { type ConnectionReady, type Refusal, refuse } from "../protocol/index.ts";
import { FailureThrottle } from "./admission/failure-throttle.ts";
import { Seats } from "./admission/seats.ts";
import { refuseStopping } from "./admission/shutdown-refusal.ts";
import { Connection } from "./connections/connection.ts";
import { Enforcement } from "./connections/enforcement.ts";
import { type NodeFanOut, openFanOut } from "./fan-out/fan-out.ts";
import type { OutboundBounds } from "./flow/outbound.ts";
import { Reading, type ReadingOptions } from "./flow/reading.ts";
import { UnsentFrames } from "./flow/unsent-frames.ts";
import { Inbox } from "./requests/inbox.ts";
import { publisherOf } from "./requests/publisher.ts";
import { Door } from "./sessions/door.ts";
import type { EngineSession } from "./sessions/engine-session.ts";
import { createGreeting, type Greeting } from "./sessions/greeting.ts";
import { type Admitted, type HandshakeContext, shakeHands } from "./sessions/handshake.ts";
import { RoomlessAdapter } from "./transport/roomless-adapter.ts";
import { seamFault } from "./transport/seam-check.ts";

export type RealtimeOptions = {
  readonly gate: Gate;
  readonly broker: Broker;
  readonly channels?: readonly ChannelSettings[];
  readonly addressOf: (request: IncomingMessage) => string | null;
  readonly apiKeyInQuery: boolean;
  readonly connectTimeoutMs: number;
  /** How often each client is asked whether it is there, and how long it may take to say so. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxPendingPerAddress: number;
  readonly traffic: Traffic;
  /** These three: 0 is no limit. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerKey: number;
  /** Of what connections send and of what they leave unread. */
  readonly turn: TurnBudget;
  readonly bounds: ReadingOptions & OutboundBounds & { readonly maxUnsentBytes: number };
  readonly overload: OverloadState;
  /** Of each connection; 0 is no limit. */
  readonly maxPresenceDeliveriesPerSecond: number;
  readonly maxDisconnectedBytes: number;
  readonly maxChannels: number;
  readonly maxMemberships: number;
  readonly prove: (tcp: Duplex, keyId?: string) => void;
  readonly log: Logger;
};

/** Of requests that wait, of messages that nobody has read, and of clients that may come back. */
export type HeldBytes = {
  readonly waitingBytes: number;
  readonly unsentBytes: number;
  readonly disconnectedBytes: number;
};

/** How long clients may take to fetch that the server stops. */
const CLOSE_GRACE_MS = 1_500;

/** How long a broker may take to acknowledge what it has been given. */
const PUBLISH_GRACE_MS = 500;

/** Socket.IO's own deadline, for what slips by the session's. */
const CONNECT_TIMEOUT_SLACK_MS = 1_000;

/**
 * The realtime side: Socket.IO behind the door. Owns the connections, from CONNECT to their end, and the hub that they hear.
 */
export class Realtime {
  readonly hub: Hub;
  readonly registry: Enforcement;
  readonly #options: RealtimeOptions;
  readonly #door: Door;
  readonly #reading: Reading;
  readonly #unsent: UnsentFrames;
  readonly #io: Server;
  readonly #fanOut: NodeFanOut;
  readonly #greet: Greeting;
  readonly #inbox: Inbox;
  readonly #throttle = new FailureThrottle({ burst: 100, refillPerSecond: 20, delayMs: 250 });
  readonly #clients: Clients;
  readonly #seats: Seats;
  readonly #handshake: HandshakeContext;
  #isClosing = false;
  /** Of every socket: the same functions for all, not some for each. */
  readonly #onDisconnect: (this: Socket, reason: string) => void;
  readonly #onEvent: (this: Socket, event: unknown, ...args: unknown[]) => void;

  constructor(options: RealtimeOptions) {
    this.#options = options;
    this.#seats = new Seats(options);
    this.#clients = new Clients({ maxAbsentBytes: options.maxDisconnectedBytes });
    this.#reading = new Reading(options.bounds, options.turn);
    this.#unsent = new UnsentFrames(options.bounds.maxUnsentBytes);
    this.#door = new Door({
      ...options,
      outbound: options.bounds,
      reading: this.#reading,
    });
    this.#io = new Server({
      serveClient: false,
      connectTimeout: options.connectTimeoutMs + CONNECT_TIMEOUT_SLACK_MS,
    });
    this.#io.bind(this.#door.engine);
    const root = this.#io.of("/");
    const fault = seamFault(root);
    if (fault === undefined) this.#io.adapter(RoomlessAdapter);
    this.#greet = createGreeting(fault);
    this.#fanOut = openFanOut({
      namespace: root,
      fault,
      sessionOf: (socket) => this.#door.sessionOf(socket.conn),
      ownerOf: (payload) => publisherOf(payload, this.registry),
      unsent: this.#unsent,
      log: options.log,
      onFault: (error) => this.#fault(error, "a message was not sent to a member"),
      onFlushed: (ms) => this.#reading.turn.exclude(ms),
    });
    this.hub = new Hub(options.broker, this.#fanOut, {
      channels: options.channels ?? [],
      traffic: options.traffic,
      maxPresenceDeliveriesPerSecond: options.maxPresenceDeliveriesPerSecond,
      budgets: options,
      onFault: (error) => this.#fault(error, "an announcement was lost"),
      untilTurn: (owner) => options.turn.untilTurn(owner),
      deliver: (id, eventName, payload) => {
        if (eventName === "channel:gap") options.traffic.gaps += 1;
        const connection = this.registry.get(id);
        connection?.tell(eventName, payload);
        return connection?.untilRead();
      },
    });
    this.registry = new Enforcement(this.hub, this.#clients);
    const onFault = (error: unknown): void => this.#fault(error, "a request failed");
    this.#inbox = new Inbox({ hub: this.hub, overload: options.overload, unsent: this.#unsent, onFault });
    this.#handshake = { gate: options.gate, throttle: this.#throttle, seat: this.#seat };
    root.use((socket, next) => this.#shakeHands(socket, next));
    root.on("connection", (socket) => {
      const session = this.#door.sessionOf(socket.conn);
      this.#begin(socket, session);
      session?.outbound.writeHeld();
    });
    const realtime = this;
    this.#onDisconnect = function onDisconnect(this: Socket, reason: string): void {
      const connection = realtime.registry.get(this.id);
      if (connection !== undefined) realtime.#forget(connection, reason);
    };
    this.#onEvent = function onEvent(this: Socket, event: unknown, ...args: unknown[]): void {
      const connection = realtime.registry.get(this.id);
      if (connection !== undefined) realtime.#inbox.receive(connection, event, args);
    };
  }

  /** What is held for all clients together. */
  get held(): HeldBytes {
    return {
      waitingBytes: this.#reading.waitingBytes,
      unsentBytes: this.#unsent.totalBytes,
      disconnectedBytes: this.#clients.absent.bytes,
    };
  }

  /** Why this owner may not publish at the moment, over sockets or HTTP: those who hear it do not keep up. */
  publisherRefusal(publisher: { readonly owner: string }): Refusal | undefined {
    return this.#unsent.refusal(publisher);
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#door.handleRequest(request, response);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#door.handleUpgrade(request, socket, head);
  }

  /** Tell everyone to come back later, give them a moment to hear it, then end what is left. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const drained = this.#door.drain(CLOSE_GRACE_MS);
    // Members are taken out only when nothing is acknowledged any more that they would not hear.
    this.#inbox.close();
    await this.hub.stopPublishing(PUBLISH_GRACE_MS);
    this.registry.endAll();
    await drained;
    this.registry.close();
    this.#fanOut.close();
    await this.#io.close();
    this.hub.close();
    this.#clients.close();
    this.#door.close();
    this.#reading.close();
    this.#unsent.close();
  }

  /** `next` tells Socket.IO whether the connection may begin; if not, it has been told why. */
  #shakeHands(socket: Socket, next: (refused?: Error) => void): void {
    const session = this.#door.sessionOf(socket.conn);
    if (session === undefined || session.state !== "pending") {
      next(new Error("refused"));
      return;
    }
    const auth = session.takeAuth();
    forgetHandshake(socket);
    shakeHands(this.#handshake, session, auth).then(
      (result) => admit(session, result, next),
      (error: unknown) => {
        this.#fault(error, "a handshake failed");
        session.refuse(refuse("internal_error"));
        next(new Error("failed"));
      },
    );
  }

  /** A session that has ended meanwhile gets no seat: nobody would free it. */
  readonly #seat = (
    session: EngineSession,
    { key }: Identity,
    resume: string | undefined,
  ): Refusal | undefined => {
    if (session.state !== "pending") return undefined;
    const keyId = key?.id ?? null;
    const lingering = resume === undefined ? undefined : this.#clients.lingering(keyId, resume);
    const old = lingering === undefined ? undefined : this.registry.get(lingering)?.seat;
    const seat = this.#seats.take(session.addressGroup, keyId, old);
    if ("allowed" in seat) return seat;
    session.seat = seat;
    return undefined;
  };

  #begin(socket: Socket, session: EngineSession | undefined): void {
    const admitted = session?.admitted;
    if (session === undefined || admitted === undefined || session.state !== "pending") {
      socket.disconnect(true);
      return;
    }
    const { gate, traffic, prove } = this.#options;
    const { identity, echo, resume } = admitted;
    const tcp = session.accept();
    session.identity = identity;
    gate.hold(identity);
    const keyId = identity.key?.id ?? null;
    if (tcp !== undefined) prove(tcp, keyId ?? undefined);
    const { client, token, takenOver } = this.#clients.connect(socket.id, keyId, resume);
    // Its old connection goes first, so that the client is never seen to leave after it has come back.
    if (takenOver !== undefined) {
      this.hub.supersede(takenOver);
      this.registry.get(takenOver)?.end(refuse("taken_over"));
    }
    const connection = new Connection(socket, session, identity, echo, gate, client);
    session.begin(connection.id, this.#end);
    traffic.connected += 1;
    this.registry.add(connection);
    this.hub.admit(connection.id, client, ownerOf(keyId, session.addressGroup), session.addressGroup);
    socket.on("disconnect", this.#onDisconnect);
    socket.onAny(this.#onEvent);
    const ready: ConnectionReady = {
      id: connection.id,
      clientId: connection.clientId,
      resume: token,
      timestamp: Date.now(),
    };
    this.#greet(socket, session, "connection:ready", ready);
    // The key may have changed between the handshake and this turn.
    const verdict = connection.mayConnect();
    if (!verdict.allowed) session.endWith(verdict);
    // Its handshake was under way when everyone was told. Refused, socket.io-client would not come back.
    else if (this.#isClosing) session.endWith(refuseStopping(this.hub.connectionCount));
  }

  #forget(connection: Connection, reason: string): void {
    const { log, traffic } = this.#options;
    traffic.disconnected += 1;
    this.#clients.disconnect(connection.client, connection.id, this.#absenceOf(connection));
    this.registry.remove(connection);
    this.hub.dismiss([connection.id]);
    connection.endSession();
    log.debug({ connectionId: connection.id, reason }, "connection ended");
  }

  /** The key is held for as long as the client may come back. Nothing of the connection itself is kept. */
  #absenceOf({ identity, origin, ip, addressGroup }: Connection): Absence {
    const { gate } = this.#options;
    return {
      group: addressGroup,
      mayStill: (channel) => {
        const action = channel === undefined ? "connect" : "join";
        return gate.recheck(identity, { action, origin, ip, channel }).allowed;
      },
      end: () => gate.release(identity),
    };
  }

  readonly #end = (connectionId: string, refusal: Refusal): void => {
    if (refusal.code === "slow_consumer") this.#options.traffic.slowConsumers += 1;
    this.hub.dismiss([connectionId]);
    this.registry.get(connectionId)?.end(refusal);
  };

  #fault(error: unknown, message: string): void {
    this.#options.log.error({ fault: faultOf(error) }, message);
  }
}

function admit(session: EngineSession, result: Admitted | Refusal, next: (refused?: Error) => void): void {
  if ("allowed" in result) session.refuse(result);
  // It may also have ended while its key was looked up: nothing is held back of what it was told.
  if ("allowed" in result || session.state !== "pending") {
    next(new Error("refused"));
    return;
  }
  session.admitted = result;
  // Socket.IO's answer, in its next tick, and `connection:ready`.
  session.outbound.holdWrites();
  next();
}

const NOTHING = Object.freeze({});

/** Socket.IO keeps the handshake for as long as the connection lives. The key must not live there. */
function forgetHandshake({ handshake }: Socket): void {
  handshake.auth = NOTHING;
  handshake.query = NOTHING;
  handshake.headers = NOTHING;
  handshake.url = "";
  handshake.time = "";
}
