import { connect } from "node:net";

export type FramedAnswer = {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Whether the body ended where its framing said; false when the connection ended before. */
  isComplete: boolean;
};

/**
 * Sends requests on one connection, each after the answer before it, and cuts what comes back into answers by RFC 9112, 6.3, as a strict proxy does.
 * Ends when there is an answer to each, or the server has closed. @throws for bytes that belong to no answer
 */
export function exchange(
  port: number,
  requests: readonly { method: string; text: string }[],
): Promise<FramedAnswer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const answers: FramedAnswer[] = [];
    let received: Buffer = Buffer.alloc(0);
    const next = (): void => {
      const request = requests[answers.length];
      if (request === undefined) socket.end();
      else socket.write(request.text, "latin1");
    };
    const take = (isEnd: boolean): void => {
      const request = requests[answers.length];
      if (received.length === 0) return;
      if (request === undefined) {
        socket.destroy();
        reject(new Error(`bytes that belong to no answer: ${received.toString("latin1")}`));
        return;
      }
      const cut = cutAnswer(received, request.method, isEnd);
      if (cut === undefined) return;
      received = received.subarray(cut.bytes);
      answers.push(cut.answer);
      next();
      take(isEnd);
    };
    socket.on("connect", next);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      take(false);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      take(true);
      resolve(answers);
    });
  });
}

function cutAnswer(
  received: Buffer,
  method: string,
  isEnd: boolean,
): { answer: FramedAnswer; bytes: number } | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) {
    if (isEnd) throw new Error(`no head: ${received.toString("latin1")}`);
    return undefined;
  }
  const [statusLine = "", ...lines] = received.subarray(0, headEnd).toString("latin1").split("\r\n");
  const found = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine);
  if (found === null) throw new Error(`not a status line: ${statusLine}`);
  const status = Number(found[1]);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (name in headers && name !== "set-cookie") throw new Error(`${name} twice`);
    headers[name] = line.slice(colon + 1).trim();
  }
  const rest = received.subarray(headEnd + 4);
  const give = (body: Buffer, bytes: number, isComplete = true) => ({
    answer: { status, headers, body, isComplete },
    bytes: headEnd + 4 + bytes,
  });
  if ("content-length" in headers && "transfer-encoding" in headers) throw new Error("two framings");
  if (method === "HEAD" || status === 204 || status === 304) return give(Buffer.alloc(0), 0);
  if (headers["transfer-encoding"] !== undefined) {
    if (headers["transfer-encoding"] !== "chunked") throw new Error(headers["transfer-encoding"]);
    const chunked = unchunk(rest);
    if (chunked !== undefined) return give(chunked.body, chunked.bytes);
    return isEnd ? give(rest, rest.length, false) : undefined;
  }
  if (headers["content-length"] === undefined) return isEnd ? give(rest, rest.length) : undefined;
  const length = Number(headers["content-length"]);
  if (rest.length >= length) return give(rest.subarray(0, length), length);
  return isEnd ? give(rest, rest.length, false) : undefined;
}

function unchunk(rest: Buffer): { body: Buffer; bytes: number } | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString("latin1"), 16);
    const end = lineEnd + 2 + size;
    if (rest.length < end + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), bytes: end + 2 };
    parts.push(rest.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
