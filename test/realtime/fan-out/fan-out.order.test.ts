import { expect } from "chai";
import { io, type Socket } from "socket.io-client";
import { startServer, type TestServer } from "../../helpers/server.ts";

/**
 * Random traffic over real sockets, checked against what the delivery contract says each client may and must
 * see. A seed repeats the same actions (the network's timing is its own): SLUICE_FAN_OUT_SEED=17 npx mocha -g "fan-out order".
 * SLUICE_FAN_OUT_RUNS sets how many seeds are tried.
 */
const RUNS = Number(process.env["SLUICE_FAN_OUT_RUNS"] ?? 6);
const FIRST_SEED = Number(process.env["SLUICE_FAN_OUT_SEED"] ?? 1);
const STEPS = 120;
const CHANNELS = 4;

type Message = {
  channel: string | null;
  sender: number;
  echo: boolean;
  offset: number;
  acknowledgedAt: number;
};
type Heard =
  | { type: "message"; n: number; channel: string | null; offset: number }
  | { type: "own"; n: number }
  | { type: "joined"; channel: string; offset: number }
  | { type: "left"; channel: string; sentAt: number };

/** One client: what it was told, in the order in which it was told. */
class Player {
  readonly index: number;
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  /** By the order of its own requests. */
  readonly joined = new Set<string>();
  /** Its own messages that it must hear. */
  readonly echoes = new Set<number>();
  isGone = false;

  constructor(index: number, url: string, apiKey: string, transports: string[]) {
    this.index = index;
    this.socket = io(url, {
      path: "/realtime/",
      forceNew: true,
      reconnection: false,
      transports,
      auth: { apiKey },
    });
  }
}

function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function numberIn(value: unknown, name: string): number {
  const found = field(value, name);
  return typeof found === "number" ? found : Number.NaN;
}

class Game {
  readonly #server: TestServer;
  readonly #secret: string;
  readonly #seed: number;
  readonly #random: () => number;
  readonly #players: Player[] = [];
  readonly #messages = new Map<number, Message>();
  readonly #open = new Set<Promise<void>>();
  #clock = 0;
  #n = 0;

  constructor(server: TestServer, secret: string, seed: number) {
    this.#server = server;
    this.#secret = secret;
    this.#seed = seed;
    this.#random = randomNumbers(seed);
  }

  async play(): Promise<void> {
    await Promise.all(Array.from({ length: 6 }, () => this.#enter()));
    for (let step = 0; step < STEPS; step += 1) await this.#step();
    await this.#settle();
    for (const player of this.#players) this.#check(player);
  }

  close(): void {
    for (const { socket } of this.#players) socket.disconnect();
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.#random() * list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  async #enter(): Promise<void> {
    const transports = this.#pick([["websocket"], ["websocket"], ["polling"], ["polling", "websocket"]]);
    const player = new Player(this.#players.length, this.#server.url, this.#secret, transports);
    this.#players.push(player);
    player.socket.onAny((event: string, payload: unknown) => {
      if (event !== "m") return;
      const message = field(payload, "message");
      const n = numberIn(message, "n");
      const blob = field(message, "blob");
      if (blob !== undefined) expect(blob, `attachment of ${n}`).to.deep.equal(Buffer.from(`blob ${n}`));
      const channel = field(payload, "channel");
      // Whose sender is gone has its offset from whoever heard it.
      const known = this.#messages.get(n);
      if (known !== undefined) known.offset = numberIn(payload, "offset");
      player.heard.push({
        type: "message",
        n,
        channel: typeof channel === "string" ? channel : null,
        offset: numberIn(payload, "offset"),
      });
    });
    await new Promise<void>((resolve, reject) => {
      player.socket.once("connection:ready", () => resolve());
      player.socket.once("connect_error", reject);
    });
  }

  async #step(): Promise<void> {
    const here = this.#players.filter(({ isGone }) => !isGone);
    const dice = this.#random();
    const player = this.#pick(here);
    const channel = `${this.#seed}-${Math.floor(this.#random() * CHANNELS)}`;
    if (dice < 0.45) this.#burst(player, channel);
    else if (dice < 0.5) this.#publish(player, null);
    else if (dice < 0.57) this.#publishOverHttp(channel);
    else if (dice < 0.77) this.#join(player, channel);
    else if (dice < 0.89) this.#leave(player, this.#pick([channel, ...player.joined]));
    else if (dice < 0.92) this.#request(player, "update", { data: { step: this.#n } }, () => {});
    else if (dice < 0.94) await this.#replace(player);
    else if (dice < 0.97) await new Promise((resolve) => setImmediate(resolve));
    else if (this.#open.size > 0) await Promise.race(this.#open);
  }

  /** Several publishes, perhaps of different kinds and to different channels, in one go. */
  #burst(player: Player, channel: string): void {
    const count = 1 + Math.floor(this.#random() * 12);
    for (let i = 0; i < count; i += 1) {
      this.#publish(player, this.#random() < 0.8 ? channel : `${this.#seed}-${i % CHANNELS}`);
    }
  }

  #publish(player: Player, channel: string | null): void {
    const n = this.#n++;
    const echo = this.#random() < 0.7;
    const blob = this.#random() < 0.1 ? { blob: Buffer.from(`blob ${n}`) } : {};
    const filler = this.#random() < 0.02 ? { filler: "é".repeat(40_000) } : {};
    const message: Message = {
      channel,
      sender: player.index,
      echo,
      offset: Number.NaN,
      acknowledgedAt: Number.NaN,
    };
    this.#messages.set(n, message);
    if (echo && (channel === null || player.joined.has(channel))) player.echoes.add(n);
    const payload = {
      eventName: "m",
      message: { n, ...blob, ...filler },
      echo,
      ...(channel === null ? {} : { channel }),
    };
    this.#request(player, "message", payload, (answer) => {
      message.offset = numberIn(answer, "offset");
      message.acknowledgedAt = this.#clock++;
      player.heard.push({ type: "own", n });
    });
  }

  #publishOverHttp(channel: string): void {
    const n = this.#n++;
    const message: Message = {
      channel,
      sender: -1,
      echo: true,
      offset: Number.NaN,
      acknowledgedAt: Number.NaN,
    };
    this.#messages.set(n, message);
    this.#track(async () => {
      const answer = await fetch(`${this.#server.url}/channels/publish`, {
        method: "POST",
        headers: { authorization: `Bearer ${this.#secret}`, "content-type": "application/json" },
        body: JSON.stringify({ channel, eventName: "m", message: { n } }),
      });
      const body: unknown = await answer.json();
      expect(answer.status, JSON.stringify(body)).to.be.below(300);
      message.offset = numberIn(body, "offset");
      message.acknowledgedAt = this.#clock++;
    });
  }

  #join(player: Player, channel: string): void {
    player.joined.add(channel);
    this.#request(player, "join", { channel }, (answer) =>
      player.heard.push({ type: "joined", channel, offset: numberIn(answer, "offset") }),
    );
  }

  #leave(player: Player, channel: string): void {
    if (!player.joined.delete(channel)) return;
    const sentAt = this.#clock++;
    const echo = this.#random() < 0.5;
    this.#request(player, "leave", { channel, echo }, () =>
      player.heard.push({ type: "left", channel, sentAt }),
    );
  }

  async #replace(player: Player): Promise<void> {
    if (this.#players.length > 12) return;
    player.isGone = true;
    if (this.#random() < 0.5) player.socket.disconnect();
    else player.socket.io.engine.close();
    await this.#enter();
  }

  #request(player: Player, event: string, payload: object, onAnswer: (answer: unknown) => void): void {
    this.#track(
      () =>
        new Promise((resolve, reject) => {
          player.socket.once("disconnect", () => resolve());
          player.socket.emit(event, payload, (answer: unknown) => {
            if (field(answer, "ok") === true) onAnswer(answer);
            else reject(new Error(`${event}: ${JSON.stringify(answer)}`));
            resolve();
          });
        }),
    );
  }

  #track(task: () => Promise<void>): void {
    const run = task();
    this.#open.add(run);
    run.then(
      () => this.#open.delete(run),
      () => {},
    );
  }

  /** Everything was answered, and whatever was sent to a client has come. */
  async #settle(): Promise<void> {
    await Promise.all(this.#open);
    await Promise.all(
      this.#players
        .filter(({ isGone }) => !isGone)
        .map(({ socket }) => socket.timeout(10_000).emitWithAck("members", { channel: "settle" })),
    );
  }

  #check(player: Player): void {
    const open = new Map<string, { next: number; early: number[] }>();
    const seen = new Map<number, number>();
    const acknowledged = new Map<number, number>();
    const at = (channel: string) => {
      const found = open.get(channel) ?? { next: Number.NaN, early: [] };
      open.set(channel, found);
      return found;
    };
    const advance = (channel: string, offset: number): void => {
      const state = at(channel);
      state.next = this.#skipOwn(player, channel, state.next);
      expect(offset, `${this.#name(player)} in ${channel}: the next offset`).to.equal(state.next);
      state.next += 1;
    };
    player.heard.forEach((heard, index) => {
      if (heard.type === "own") {
        acknowledged.set(heard.n, index);
      } else if (heard.type === "message") {
        expect(seen.has(heard.n), `${this.#name(player)}: ${heard.n} a second time`).to.equal(false);
        seen.set(heard.n, index);
        if (heard.channel === null) return;
        const state = at(heard.channel);
        if (Number.isNaN(state.next)) state.early.push(heard.offset);
        else advance(heard.channel, heard.offset);
      } else if (heard.type === "joined") {
        const state = at(heard.channel);
        if (!Number.isNaN(state.next)) return;
        state.next = heard.offset + 1;
        for (const offset of state.early.splice(0)) advance(heard.channel, offset);
      } else {
        const state = at(heard.channel);
        expect(state.early, `${this.#name(player)} in ${heard.channel}: after its leave`).to.deep.equal([]);
        for (const { channel, offset, acknowledgedAt, sender, echo } of this.#messages.values()) {
          if (channel !== heard.channel || !(acknowledgedAt < heard.sentAt)) continue;
          if (sender === player.index && !echo) continue;
          expect(offset, `${this.#name(player)} in ${channel}: lost before its leave`).to.be.below(
            state.next,
          );
        }
        state.next = Number.NaN;
      }
    });
    for (const [n, index] of seen) {
      const message = this.#messages.get(n);
      expect(message?.sender === player.index && !message.echo, `own ${n} without echo`).to.equal(false);
      const ack = acknowledged.get(n);
      if (ack !== undefined)
        expect(index, `${this.#name(player)}: ${n} after its acknowledgement`).to.be.below(ack);
    }
    if (player.isGone) return;
    for (const n of player.echoes) expect(seen.has(n), `${this.#name(player)}: echo of ${n}`).to.equal(true);
    for (const [channel, state] of open) {
      expect(state.early, `${this.#name(player)} in ${channel}: not a member`).to.deep.equal([]);
      if (Number.isNaN(state.next)) continue;
      const offsets = [...this.#messages.values()].filter((one) => one.channel === channel && one.offset > 0);
      const last = Math.max(0, ...offsets.map(({ offset }) => offset));
      state.next = this.#skipOwn(player, channel, state.next);
      expect(state.next, `${this.#name(player)} in ${channel}: lost at the end`).to.be.above(last);
    }
    for (const [n, { channel, acknowledgedAt, sender, echo }] of this.#messages) {
      if (channel !== null || Number.isNaN(acknowledgedAt) || (sender === player.index && !echo)) continue;
      // Only clients of the first hour surely heard every broadcast.
      if (player.index < 6) expect(seen.has(n), `${this.#name(player)}: broadcast ${n}`).to.equal(true);
    }
  }

  /** Past its own messages without echo. An offset that nobody knows is one of them whose answer was lost. */
  #skipOwn(player: Player, channel: string, from: number): number {
    const here = [...this.#messages.values()].filter((one) => one.channel === channel);
    const own = here.filter((one) => one.sender === player.index && !one.echo);
    const skipped = new Set(own.map(({ offset }) => offset));
    const known = new Set(here.map(({ offset }) => offset));
    let lost = own.filter(({ offset }) => Number.isNaN(offset)).length;
    const last = Math.max(0, ...here.map(({ offset }) => offset).filter((offset) => offset > 0));
    let next = from;
    while (next <= last && (skipped.has(next) || (!known.has(next) && lost-- > 0))) next += 1;
    return next;
  }

  #name(player: Player): string {
    return `seed ${this.#seed}, client ${player.index} (${player.socket.io.opts.transports?.join("+")})`;
  }
}

describe("fan-out order", () => {
  let server: TestServer;
  let secret: string;

  before(async () => {
    server = await startServer();
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  after(() => server.close());

  it(`shows every client its channels' messages once, in order, and in order with its own requests (${RUNS} seeds)`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
      const game = new Game(server, secret, seed);
      try {
        await game.play();
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      } finally {
        game.close();
      }
    }
  }).timeout(30_000 + RUNS * 5_000);
});
