import { connect } from "node:net";

const ANSWER_MS = 80;
const MAX_ANSWER_BYTES = 2_000_000;

/** Sends bytes to a port of this machine and keeps what comes back for a moment, or until the other side closes. */
export function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const parts: Buffer[] = [];
    let length = 0;
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(parts).toString("latin1"));
    };
    let timer = setTimeout(end, 4 * ANSWER_MS);
    socket.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      length += chunk.length;
      clearTimeout(timer);
      timer = setTimeout(end, ANSWER_MS);
      if (length > MAX_ANSWER_BYTES) end();
    });
    socket.on("error", end);
    socket.on("close", end);
    socket.write(bytes);
  });
}

/** The statuses of 5xx in what was answered: each is a fault of the server. */
export function faultsIn(answer: string): string[] {
  return [...answer.matchAll(/HTTP\/1\.1 (5\d\d)[\s\S]{0,600}/g)].map(([text]) => text);
}
