import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** `near` is the client's side, `far` the server's. */
type Pair = { readonly near: Socket; readonly far: Socket };

/**
 * A TCP proxy in front of a server of this machine: does to a client, at a word, what networks do. It ends sockets with
 * `destroy` alone: `resetAndDestroy` on one that is shutting down fails with EINVAL, keeps its handle for ever, and the process
 * then spins at its end instead of ending (Node 20.20 and 24.21: `CleanupHandles` waits for it).
 */
export class Link {
  readonly url: string;
  readonly port: number;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  /** Server sides that are still open although their client is gone. */
  readonly #frozen = new Set<Socket>();
  /** Pairs of which the client hears nothing more. */
  readonly #deaf = new WeakSet<Pair>();
  #lost: { readonly text: string; readonly resolve: () => void } | undefined;
  #isStalled = false;
  #isDown = false;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#targetPort = targetPort;
    server.on("connection", (near) => this.#carry(near));
  }

  static async open(targetPort: number): Promise<Link> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the link does not listen");
    return new Link(server, address.port, targetPort);
  }

  /** Connections that it carries now. */
  get count(): number {
    return this.#pairs.size;
  }

  /** The ports by which the server knows them. */
  get serverSidePorts(): readonly number[] {
    return [...this.#pairs].flatMap(({ far }) => far.localPort ?? []);
  }

  /** Stop reading what the server sends; what the client sends goes on. */
  stall(): void {
    this.#isStalled = true;
    for (const { far } of this.#pairs) far.pause();
  }

  /** Read again. */
  flow(): void {
    this.#isStalled = false;
    for (const { far } of this.#pairs) far.resume();
  }

  /**
   * From the next data of the server with this text on, what the server sends on that connection is lost on the way. Resolves
   * when it came.
   */
  lose(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#lost = { text, resolve };
    });
  }

  /** Lose every connection, on both sides. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    this.#pairs.clear();
  }

  /** Lose every connection on the client's side; the server's stay open, and silent. */
  freeze(): void {
    for (const { near, far } of this.#pairs) {
      this.#frozen.add(far);
      far.once("close", () => this.#frozen.delete(far));
      near.destroy();
    }
    this.#pairs.clear();
  }

  /** What was frozen ends for the server too. */
  thaw(): void {
    for (const far of this.#frozen) far.destroy();
  }

  /** Cut, and let nobody through until `up`. */
  down(): void {
    this.#isDown = true;
    this.cut();
  }

  up(): void {
    this.#isDown = false;
  }

  close(): void {
    this.down();
    this.thaw();
    this.#server.close();
  }

  #carry(near: Socket): void {
    near.on("error", () => near.destroy());
    if (this.#isDown) {
      near.destroy();
      return;
    }
    const far = connect(this.#targetPort, "127.0.0.1");
    const pair: Pair = { near, far };
    this.#pairs.add(pair);
    far.on("error", () => far.destroy());
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => {
      if (this.#lost !== undefined && data.includes(this.#lost.text)) {
        this.#deaf.add(pair);
        this.#lost.resolve();
        this.#lost = undefined;
      }
      if (!near.destroyed && !this.#deaf.has(pair)) near.write(data);
    });
    near.on("end", () => far.end());
    far.on("end", () => near.end());
    far.once("close", () => {
      this.#pairs.delete(pair);
      near.end();
    });
    near.once("close", () => {
      this.#pairs.delete(pair);
      if (!this.#frozen.has(far)) far.destroy();
    });
    near.resume();
    if (this.#isStalled) far.pause();
  }
}
