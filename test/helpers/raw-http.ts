import { connect } from "node:net";

export type RawResponse = { status: number; head: string; body: string };

/** Send bytes as they are to a port of this machine, and read until the server closes: nothing is normalised. */
export function sendRaw(port: number, text: string): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      received += String(chunk);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", ...body] = received.split("\r\n\r\n");
      resolve({ status: Number(head.split(" ")[1]), head, body: body.join("\r\n\r\n") });
    });
    socket.write(text, "latin1");
  });
}

/** A request of one target with header lines as they are given. */
export function rawRequest(
  method: string,
  target: string,
  headers: readonly string[] = [],
  host = "localhost",
): string {
  return `${[`${method} ${target} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers].join("\r\n")}\r\n\r\n`;
}
