import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy whose connections can be made half-open: neither side hears of the other again, nor that it is gone. */
export class SilentProxy {
  readonly #server = createServer((near) => this.#join(near));
  readonly #pairs: { near: Socket; far: Socket }[] = [];
  readonly #port: number;
  url = "";

  constructor(port: number) {
    this.#port = port;
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  /** From now on what either side sends is swallowed, its end too. Resolves when the server has ended its sides. */
  silence(): Promise<void> {
    const ends = this.#pairs.map(({ near, far }) => {
      near.unpipe().resume();
      far.unpipe().resume();
      return far.destroyed ? undefined : once(far, "close");
    });
    return Promise.all(ends).then(() => undefined);
  }

  close(): void {
    this.#server.close();
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  #join(near: Socket): void {
    const far = connect(this.#port, "127.0.0.1");
    this.#pairs.push({ near, far });
    for (const socket of [near, far]) socket.on("error", () => {});
    near.pipe(far);
    far.pipe(near);
  }
}
