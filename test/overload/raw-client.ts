import { once } from "node:events";
import { connect, type Socket } from "node:net";
import WebSocket from "ws";

/** Where an attack goes, and from which address of this machine. */
export type Target = { readonly port: number; readonly localAddress: string };

/** A bare TCP connection that swallows its errors: whoever attacks goes on. Resolves when it is open, or is over. */
export async function openTcp({ port, localAddress }: Target): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => socket.destroy());
  await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => undefined);
  return socket;
}

/** An Engine.IO session over WebSocket, driven by hand. */
export class RawSession {
  readonly webSocket: WebSocket;
  /** Who waits for a packet; each is shown every one. @returns whether it was the one */
  readonly #waiting = new Set<(packet: string | undefined) => boolean>();
  isOver = false;
  /** The server's last word, if it had one. */
  closing = "without a word";
  #acks = 0;

  constructor({ port, localAddress }: Target) {
    this.webSocket = new WebSocket(`ws://127.0.0.1:${port}/realtime/?EIO=4&transport=websocket`, {
      localAddress,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.webSocket.on("message", (data, isBinary) => this.#take(isBinary ? "binary" : String(data)));
    this.webSocket.on("error", () => {});
    this.webSocket.on("close", () => {
      this.isOver = true;
      this.#show(undefined);
    });
  }

  /** Connected with a key. @returns whether it was let in */
  async connect(apiKey: string | undefined): Promise<boolean> {
    if (!(await this.#until((packet) => packet.startsWith("0")))) return false;
    this.send(`40${JSON.stringify(apiKey === undefined ? {} : { apiKey })}`);
    return this.#until((packet) => packet.startsWith("42") && packet.includes("connection:ready"));
  }

  send(packet: string | Buffer): void {
    if (this.webSocket.readyState === WebSocket.OPEN) this.webSocket.send(packet, () => {});
  }

  /** An event, without an acknowledgement. */
  emit(event: string, payload: object): void {
    this.send(`42${JSON.stringify([event, payload])}`);
  }

  /** An event and its acknowledgement; undefined when the session ended before. */
  async request(event: string, payload: object): Promise<string | undefined> {
    this.#acks += 1;
    const head = `43${this.#acks}[`;
    this.send(`42${this.#acks}${JSON.stringify([event, payload])}`);
    let answer: string | undefined;
    await this.#until((packet) => {
      if (packet.startsWith(head)) answer = packet.slice(head.length, -1);
      return answer !== undefined;
    });
    return answer;
  }

  /** Waits until the bytes that were sent are with the system. */
  async drained(): Promise<void> {
    while (this.webSocket.bufferedAmount > 1024 * 1024 && !this.isOver) await pause(5);
  }

  /** Reads nothing from now on. */
  stall(): void {
    this.webSocket.pause();
  }

  close(): void {
    this.webSocket.terminate();
  }

  #take(packet: string): void {
    if (packet.startsWith('42["connection:closing"')) this.closing = packet.slice(24, 124);
    if (packet === "2") this.send("3");
    else this.#show(packet);
  }

  /** `undefined`: none will come any more. */
  #show(packet: string | undefined): void {
    for (const look of this.#waiting) if (look(packet)) this.#waiting.delete(look);
  }

  #until(matches: (packet: string) => boolean): Promise<boolean> {
    if (this.isOver) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.add((packet) => {
        if (packet !== undefined && !matches(packet)) return false;
        resolve(packet !== undefined);
        return true;
      });
    });
  }
}

/** How fast an attack goes is its own affair: this is no wait for something that happens elsewhere. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `size` at a time, so that the attacker itself does not run out. */
export async function inGroups(
  count: number,
  size: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < count; from += size) {
    const group = Array.from({ length: Math.min(size, count - from) }, (_, index) => task(from + index));
    await Promise.all(group);
  }
}
