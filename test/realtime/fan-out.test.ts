import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { expect } from "chai";
import { Server, type Socket as ServerSocket } from "socket.io";
import { type Socket as ClientSocket, io as connect } from "socket.io-client";
import { createLogger } from "../../src/observe/log.ts";
import { Slot } from "../../src/realtime/admission.ts";
import { seamFault } from "../../src/realtime/engine-seam.ts";
import { EngineSession } from "../../src/realtime/engine-session.ts";
import { type NodeFanOut, openFanOut, RoomFanOut } from "../../src/realtime/fan-out.ts";
import { FastFanOut } from "../../src/realtime/fast-fan-out.ts";
import { SessionListeners } from "../../src/realtime/session-listeners.ts";

type Player = { client: ClientSocket; server: ServerSocket; heard: unknown[][]; takeWrites: () => number };

/** Socket.IO with nothing of ours but the sessions and a fan-out. */
class Stage {
  readonly io: Server;
  readonly logged: unknown[] = [];
  readonly #http: HttpServer = createServer();
  readonly #sessions = new WeakMap<object, EngineSession>();
  readonly #clients: ClientSocket[] = [];

  constructor() {
    this.io = new Server(this.#http);
    const listeners = new SessionListeners((conn) => this.#sessions.get(conn));
    this.io.engine.on("flush", (conn, packets) => this.#sessions.get(conn)?.passOn(packets.length));
    this.io.engine.on("drain", (conn) => this.#sessions.get(conn)?.passedOn());
    this.io.engine.on("connection", (conn) => {
      const session = new EngineSession({
        conn,
        sid: "",
        whence: { origin: undefined, ip: null },
        addressGroup: "",
        slot: new Slot(() => {}),
        presented: { secret: undefined },
        tcp: conn.request.socket,
        connectTimeoutMs: 9_000,
        maxOutboundBytes: 1024 * 1024,
      });
      listeners.listen(conn);
      session.accept();
      conn.once("close", () => session.dispose());
      this.#sessions.set(conn, session);
    });
  }

  fastFanOut(): FastFanOut {
    const fanOut = this.fanOut();
    if (!(fanOut instanceof FastFanOut)) throw new Error("the fan-out is slow");
    return fanOut;
  }

  fanOut(fault?: string): NodeFanOut {
    const log = createLogger("silent");
    log.warn = (fields: unknown) => {
      this.logged.push(fields);
    };
    return openFanOut({
      namespace: this.io.of("/"),
      sessionOf: ({ conn }) => this.#sessions.get(conn),
      log,
      onFault: (error) => this.logged.push(error),
      fault,
    });
  }

  async open(): Promise<void> {
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  /** `takeWrites`: how often its TCP connection was written to since it was asked last. */
  async enter(): Promise<Player> {
    const address = this.#http.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    const client = connect(`http://127.0.0.1:${address.port}`, { transports: ["websocket"], forceNew: true });
    this.#clients.push(client);
    const heard: unknown[][] = [];
    client.onAny((...args: unknown[]) => heard.push(args));
    const [server] = await Promise.all([
      new Promise<ServerSocket>((resolve) => this.io.once("connection", resolve)),
      new Promise<void>((resolve) => client.once("connect", resolve)),
    ]);
    let writes = 0;
    const tcp = server.request.socket;
    const write = tcp.write.bind(tcp);
    Reflect.set(tcp, "write", (...args: Parameters<typeof write>) => {
      writes += 1;
      return write(...args);
    });
    const takeWrites = (): number => {
      const taken = writes;
      writes = 0;
      return taken;
    };
    return { client, server, heard, takeWrites };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.io.close();
  }
}

/** Whatever was sent to the client before has come. */
async function settle({ client, server }: Player): Promise<void> {
  client.once("settle", (acknowledge: () => void) => acknowledge());
  await server.timeout(5_000).emitWithAck("settle");
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

const events = ({ heard }: Player): unknown[] =>
  heard.filter(([name]) => name !== "settle").map(([name, payload]) => [name, payload]);

/** Each write to its TCP connection takes that long, as a thousand would. */
function slowDown({ server }: Player, writeMs: number): void {
  const tcp = server.request.socket;
  const write = tcp.write.bind(tcp);
  Reflect.set(tcp, "write", (...args: Parameters<typeof write>) => {
    const untilMs = performance.now() + writeMs;
    while (performance.now() < untilMs);
    return write(...args);
  });
}

describe("fan-out", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = new Stage();
    await stage.open();
  });
  afterEach(() => stage.close());

  for (const kind of ["fast", "over rooms"] as const) {
    describe(kind, () => {
      let fanOut: NodeFanOut;
      let ann: Player;
      let bob: Player;
      beforeEach(async () => {
        fanOut = stage.fanOut(kind === "fast" ? undefined : "a reason");
        [ann, bob] = [await stage.enter(), await stage.enter()];
        for (const { server } of [ann, bob]) fanOut.admit(server.id);
      });
      afterEach(() => fanOut.close());

      it("reaches members, watchers and everyone, but the one who is left out", async () => {
        fanOut.attach(ann.server.id, "a");
        fanOut.attach(bob.server.id, "a");
        fanOut.watch(bob.server.id, "a");
        fanOut.toMembers("a", "one", { é: "ü" });
        fanOut.toWatchers("a", "two", 2);
        fanOut.toEveryone("three", null);
        fanOut.toMembers("a", "four", 4, ann.server.id);
        fanOut.toMembers("b", "five", 5);
        fanOut.toEveryone("six", 6, bob.server.id);
        for (const player of [ann, bob]) await settle(player);
        expect(events(ann)).to.deep.equal([
          ["one", { é: "ü" }],
          ["three", null],
          ["six", 6],
        ]);
        expect(events(bob)).to.deep.equal([
          ["one", { é: "ü" }],
          ["two", 2],
          ["three", null],
          ["four", 4],
        ]);
      });

      it("keeps the order of channels, binary, other packets and changes of membership", async () => {
        const { id } = ann.server;
        fanOut.toMembers("a", "before", 0);
        fanOut.attach(id, "a");
        fanOut.toMembers("a", "m", 1);
        fanOut.attach(id, "b");
        fanOut.toMembers("b", "m", { bytes: Buffer.from([1, 2]), view: new Uint8Array([3]) });
        fanOut.toMembers("a", "m", "x".repeat(70_000));
        fanOut.toMembers("b", "m", "y".repeat(200));
        ann.server.emit("other", 4);
        fanOut.toMembers("a", "m", 5);
        fanOut.detach(id, "a");
        fanOut.toMembers("a", "after", 6);
        fanOut.toMembers("b", "m", 7);
        fanOut.dismiss(id);
        fanOut.toMembers("b", "after", 8);
        fanOut.toEveryone("after", 9);
        await settle(ann);
        expect(events(ann)).to.deep.equal([
          ["m", 1],
          ["m", { bytes: Buffer.from([1, 2]), view: Buffer.from([3]) }],
          ["m", "x".repeat(70_000)],
          ["m", "y".repeat(200)],
          ["other", 4],
          ["m", 5],
          ["m", 7],
        ]);
      });
    });
  }

  it("lets what comes in the turn after a long flush go together with the next turn's", async () => {
    const fanOut = stage.fastFanOut();
    const ann = await stage.enter();
    fanOut.admit(ann.server.id);
    fanOut.attach(ann.server.id, "a");
    slowDown(ann, 24);
    const writes: number[] = [];
    const expected: unknown[] = [];
    const say = (n: number): void => {
      expected.push(["m", n]);
      fanOut.toMembers("a", "m", n);
    };
    // A machine that is busy elsewhere may let the 5 ms pass between two turns, but not each time.
    for (let round = 0; round < 8; round += 1) {
      say(round);
      say(round + 0.25);
      fanOut.flush();
      ann.takeWrites();
      say(round + 0.5);
      await endOfTurn();
      say(round + 0.75);
      fanOut.flush();
      writes.push(ann.takeWrites());
    }
    await settle(ann);
    expect(events(ann)).to.deep.equal(expected);
    expect(writes).to.include(1);
  });

  it("does not wait after a long flush of one message, since nobody publishes beside it", async () => {
    const fanOut = stage.fastFanOut();
    const ann = await stage.enter();
    fanOut.admit(ann.server.id);
    fanOut.attach(ann.server.id, "a");
    slowDown(ann, 24);
    for (let round = 0; round < 3; round += 1) {
      fanOut.toMembers("a", "m", round);
      fanOut.flush();
      ann.takeWrites();
      fanOut.toMembers("a", "m", round + 0.5);
      await endOfTurn();
      expect(ann.takeWrites()).to.equal(1);
    }
  });

  it("writes once to each member for all of a turn, over several channels too", async () => {
    const fanOut = stage.fanOut();
    expect(fanOut).to.be.instanceOf(FastFanOut);
    const [ann, bob] = [await stage.enter(), await stage.enter()];
    for (const { server } of [ann, bob]) {
      fanOut.admit(server.id);
      fanOut.attach(server.id, "a");
    }
    fanOut.attach(bob.server.id, "b");
    for (let i = 0; i < 10; i += 1) fanOut.toMembers("a", "m", i);
    await endOfTurn();
    expect([ann.takeWrites(), bob.takeWrites()]).to.deep.equal([1, 1]);
    for (let i = 10; i < 20; i += 1) fanOut.toMembers(i % 2 === 0 ? "a" : "b", "m", i);
    await endOfTurn();
    expect([ann.takeWrites(), bob.takeWrites()]).to.deep.equal([1, 1]);
    for (const player of [ann, bob]) await settle(player);
    const numbers = Array.from({ length: 20 }, (_, i) => ["m", i]);
    expect(events(bob)).to.deep.equal(numbers);
    expect(events(ann)).to.deep.equal(numbers.filter((_, i) => i < 10 || i % 2 === 0));
    fanOut.close();
  });

  it("keeps nothing of those who left", async () => {
    const fanOut = stage.fanOut();
    if (!(fanOut instanceof FastFanOut)) throw new Error("not the fast one");
    const { server } = await stage.enter();
    fanOut.admit(server.id);
    fanOut.attach(server.id, "a");
    fanOut.watch(server.id, "a");
    fanOut.detach(server.id, "a");
    expect(fanOut.size).to.equal(2);
    fanOut.dismiss(server.id);
    expect(fanOut.size).to.equal(0);
    fanOut.attach(server.id, "a");
    expect(fanOut.size).to.equal(0);
    fanOut.close();
  });

  it("is fast with the packages as they are, and goes over rooms, with a word in the log, when they are not", () => {
    expect(seamFault(stage.io.of("/"))).to.equal(undefined);
    const { encoder } = stage.io;
    const encode = encoder.encode.bind(encoder);
    encoder.encode = (packet) => encode(packet).map((part: unknown) => `${part}!`);
    expect(stage.fanOut()).to.be.instanceOf(RoomFanOut);
    expect(stage.logged).to.deep.equal([{ fault: "socket.io: Encoder.encode writes events in another way" }]);
    Reflect.deleteProperty(encoder, "encode");
  });

  it("notices an engine that does not say when a packet is queued, or queues it elsewhere", async () => {
    const { Socket } = await import("engine.io");
    const emit = Socket.prototype.emit;
    Reflect.set(Socket.prototype, "emit", function (this: object, name: string, ...args: unknown[]) {
      return name === "packetCreate" || Reflect.apply(emit, this, [name, ...args]);
    });
    try {
      expect(seamFault(stage.io.of("/"))).to.match(/packetCreate/);
    } finally {
      Reflect.deleteProperty(Socket.prototype, "emit");
    }
    expect(seamFault(stage.io.of("/"))).to.equal(undefined);
  });
});
