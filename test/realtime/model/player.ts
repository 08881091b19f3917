import { isDeepStrictEqual } from "node:util";
import { io, type Socket } from "socket.io-client";
import { Link } from "../../helpers/link.ts";
import { toRecord } from "../../helpers/record.ts";
import { settlePublication, textOf } from "./answers.ts";
import type { Entry, Position, Request, Visit } from "./trace.ts";
import { within } from "./within.ts";

/** What all who play one game share: the clock, and what bodies look like. */
export type Table = {
  readonly port: number;
  /** Everyone connected hears a broadcast: those of other games are told apart by their event name. */
  readonly broadcastName: string;
  tick(): number;
  messageOf(body: number): unknown;
  /** Something that must not happen, seen on the way. */
  fault(text: string): void;
};

/** A program across its connections, each through a link of its own. */
export class Player {
  readonly index: number;
  readonly key: number;
  readonly echo: boolean;
  readonly visits: PlayerVisit[] = [];
  /** Up to where it knows each channel. */
  readonly positions = new Map<string, Position>();
  token: string | undefined;
  readonly #table: Table;
  readonly #secret: string;
  readonly #transports: readonly string[];

  constructor(
    table: Table,
    {
      index,
      key,
      echo,
      secret,
      transports,
    }: { index: number; key: number; echo: boolean; secret: string; transports: readonly string[] },
  ) {
    this.#table = table;
    this.index = index;
    this.key = key;
    this.echo = echo;
    this.#secret = secret;
    this.#transports = transports;
  }

  get current(): PlayerVisit | undefined {
    const visit = this.visits.at(-1);
    return visit?.isOpen === true ? visit : undefined;
  }

  /** Connect. @returns undefined when the server refused, or the connection was lost again. */
  async visit(resume: boolean): Promise<PlayerVisit | undefined> {
    const link = await Link.open(this.#table.port);
    const auth = {
      apiKey: this.#secret,
      echoMessages: this.echo,
      ...(resume && this.token !== undefined ? { resume: this.token } : {}),
    };
    const socket = io(link.url, {
      path: "/realtime/",
      forceNew: true,
      reconnection: false,
      // One that is abandoned while it connects keeps its ping timer.
      autoUnref: true,
      transports: [...this.#transports],
      auth,
    });
    const name = `client ${this.index}, connection ${this.visits.length + 1} (${this.#transports.join("+")}, key ${this.key})`;
    const visit = new PlayerVisit(this, this.#table, link, socket, name);
    this.visits.push(visit);
    const token = await visit.ready;
    if (token !== undefined) this.token = token;
    return token === undefined ? undefined : visit;
  }

  /** Note what it has heard; a position never goes back within an epoch. */
  note(channel: string, { epoch, offset }: Position): void {
    const known = this.positions.get(channel);
    if (known?.epoch === epoch && known.offset >= offset) return;
    this.positions.set(channel, { epoch, offset });
  }

  close(): void {
    for (const visit of this.visits) visit.close();
  }
}

/** One connection and what it saw. */
export class PlayerVisit implements Visit {
  readonly name: string;
  readonly client: number;
  readonly key: number;
  readonly trace: Entry[] = [];
  readonly link: Link;
  /** The token of `connection:ready`; undefined when it was refused. */
  readonly ready: Promise<string | undefined>;
  readonly ended: Promise<undefined>;
  id = "";
  clientId = "";
  readyAt = Number.NaN;
  endedAt = Number.NaN;
  wasStalled = false;
  isStalled = false;
  readonly #player: Player;
  readonly #table: Table;
  readonly #socket: Socket;
  /** Requests without their answer. */
  readonly #open = new Map<() => void, Request>();
  #onEnd: () => void = () => {};
  /** The membership change that is under way, by channel: the next one waits for it. */
  readonly #changes = new Map<string, Promise<unknown>>();

  constructor(player: Player, table: Table, link: Link, socket: Socket, name: string) {
    this.#player = player;
    this.#table = table;
    this.#socket = socket;
    this.link = link;
    this.name = name;
    this.client = player.index;
    this.key = player.key;
    socket.onAny((event: string, payload: unknown) => this.#take(event, toRecord(payload)));
    socket.on("disconnect", (reason) => this.#end(reason));
    socket.on("connect_error", (error) => this.#end(`refused: ${error.message}`));
    const came = new Promise<string>((resolve) => {
      socket.once("connection:ready", (payload: unknown) => resolve(textOf(toRecord(payload)["resume"])));
    });
    this.ended = new Promise((resolve) => {
      this.#onEnd = () => resolve(undefined);
    });
    this.ready = within(Promise.race([came, this.ended]), `${name}: connection:ready`);
  }

  get isOpen(): boolean {
    return !Number.isNaN(this.readyAt) && Number.isNaN(this.endedAt);
  }

  /** Send, and wait for the answer or the end. */
  async request(request: Request): Promise<void> {
    if (!this.isOpen) return;
    this.#note({ type: "request", request, at: this.#table.tick() });
    const answered = new Promise<void>((resolve) => {
      this.#open.set(resolve, request);
      this.#socket.emit(request.event, request.payload, (answer: unknown) => {
        this.#open.delete(resolve);
        this.#answered(request, toRecord(answer));
        resolve();
      });
    });
    await answered;
  }

  get unanswered(): readonly string[] {
    const asked = [...this.#open.values()].map(({ payload, event }) => `${event} ${JSON.stringify(payload)}`);
    return asked.map((text) => `${this.name}, ${this.isOpen ? "open" : "ended"}: ${text.slice(0, 120)}`);
  }

  /** A membership change: after the one before it in the same channel was answered. */
  async change(channel: string, request: () => Request): Promise<void> {
    const before = this.#changes.get(channel) ?? Promise.resolve();
    const run = before.then(() => this.request(request()));
    this.#changes.set(channel, run);
    await run;
  }

  /** A round trip. */
  async settle(): Promise<void> {
    await within(
      this.request({
        event: "members",
        channel: "settle",
        since: undefined,
        echo: false,
        publication: undefined,
        payload: { channel: "settle" },
      }),
      `${this.name}: a round trip`,
    );
  }

  /** End the connection; `cut` and `freeze` without a word to the other side. */
  drop(how: "clean" | "engine" | "cut" | "freeze"): void {
    if (how === "clean") this.#socket.disconnect();
    else if (how === "engine") this.#socket.io.engine.close();
    else if (how === "cut") this.link.cut();
    else this.link.freeze();
    if (how === "cut" || how === "freeze") this.#abandon();
  }

  /** From now on it reads nothing. */
  stall(): void {
    this.isStalled = true;
    this.wasStalled = true;
    this.link.stall();
  }

  /** It reads again. */
  flow(): void {
    this.isStalled = false;
    this.link.flow();
  }

  close(): void {
    this.#socket.disconnect();
    this.link.close();
  }

  /** The network is gone. The program notices at once: its library may take until the next time-out. */
  #abandon(): void {
    this.#end("abandoned");
    this.#socket.offAny();
    this.#socket.disconnect();
  }

  #answered(request: Request, answer: Record<string, unknown>): void {
    const at = this.#table.tick();
    this.#note({ type: "ack", request, answer, at });
    const { channel, publication } = request;
    if (publication !== undefined) settlePublication(publication, answer, at);
    if (request.event === "join" && channel !== null && answer["ok"] === true) {
      this.#player.note(channel, { epoch: textOf(answer["epoch"]), offset: Number(answer["offset"]) });
    }
  }

  #take(event: string, payload: Record<string, unknown>): void {
    const at = this.#table.tick();
    const channel = textOf(payload["channel"]);
    const message = toRecord(payload["message"]);
    if (event === "connection:ready") {
      this.id = textOf(payload["id"]);
      this.clientId = textOf(payload["clientId"]);
      this.readyAt = at;
    } else if (event === "m" || event === this.#table.broadcastName) {
      this.#hear(payload, at);
    } else if (event === "channel:gap") {
      const epoch = textOf(payload["epoch"]);
      const [after, before] = [Number(payload["after"]), Number(payload["before"])];
      this.#note({ type: "gap", channel, epoch, after, before, reason: textOf(payload["reason"]), at });
      this.#player.note(channel, { epoch, offset: before - 1 });
    } else if (event === "channel:closed") {
      this.#note({ type: "closed", channel, code: textOf(payload["code"]), at });
    } else if (event === "channel:join" || event === "channel:leave" || event === "channel:update") {
      const kind = event === "channel:join" ? "join" : event === "channel:leave" ? "leave" : "update";
      const { id, clientId, data } = message;
      this.#note({ type: "presence", kind, channel, id: textOf(id), clientId: textOf(clientId), data, at });
    } else if (event === "connection:closing") {
      this.#note({ type: "closing", code: textOf(payload["code"]), at });
    } else if (!event.startsWith("broadcast ")) {
      this.#table.fault(`${this.name}: an unexpected ${event}: ${JSON.stringify(payload)}`);
    }
  }

  #hear(payload: Record<string, unknown>, at: number): void {
    const { message, id, from, epoch, offset, timestamp } = payload;
    const channel = payload["channel"] === null ? null : textOf(payload["channel"]);
    const body = Number(toRecord(message)["body"]);
    if (!isDeepStrictEqual(message, this.#table.messageOf(body)) || typeof timestamp !== "number")
      this.#table.fault(
        `${this.name}: message ${body} has changed: ${JSON.stringify(payload).slice(0, 300)}`,
      );
    const sender = from === null ? { id: null, clientId: null } : toRecord(from);
    const [fromId, fromClientId] = [sender["id"], sender["clientId"]].map((value) =>
      value === null ? null : textOf(value),
    );
    const heard = {
      channel,
      body,
      id: textOf(id),
      epoch: channel === null ? "" : textOf(epoch),
      offset: Number(offset),
    };
    this.#note({ type: "message", ...heard, fromId: fromId ?? null, fromClientId: fromClientId ?? null, at });
    if (channel !== null) this.#player.note(channel, heard);
  }

  #note(entry: Entry): void {
    if (!Number.isNaN(this.endedAt)) this.#table.fault(`${this.name}: ${entry.type} came after the end`);
    else this.trace.push(entry);
  }

  #end(how: string): void {
    if (!Number.isNaN(this.endedAt)) return;
    const at = this.#table.tick();
    this.trace.push({ type: "end", how, at });
    this.endedAt = at;
    this.#onEnd();
    for (const resolve of this.#open.keys()) resolve();
    this.#open.clear();
  }
}
