import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import type { EndpointDeclaration } from "../../src/config/config.ts";
import { exchange, type FramedAnswer } from "../helpers/framed-answers.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const TEXT = JSON.stringify(Array.from({ length: 2_000 }, (_, id) => ({ id, name: `name of ${id}` })));
/** What would be read as another answer if a client came to think that the body ended before it. */
const SECOND = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";

const ENCODERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;

function bytes(...chunks: (string | Uint8Array)[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      controller.close();
    },
  });
}

/** The same as a stream of the web. */
function webSlowly(chunks: string[], failure?: Error): ReadableStream {
  const stream = Readable.toWeb(slowly(chunks, failure));
  if (stream instanceof ReadableStream) return stream;
  throw new Error("not the global class");
}

/** Each chunk in a turn of its own, and then it ends, or fails. */
function slowly(chunks: string[], failure?: Error): Readable {
  return Readable.from(
    (async function* () {
      for (const chunk of chunks) {
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.from(chunk);
      }
      if (failure !== undefined) throw failure;
    })(),
    { objectMode: false },
  );
}

describe("the framing of an endpoint's answer", () => {
  let upstream: Server;
  let upstreamUrl: string;
  let server: TestServer;
  let secret: string;
  let handler: () => unknown = () => undefined;

  before(async () => {
    upstream = createServer((request, response) => {
      const coding = request.url?.slice(1) ?? "";
      const encode = Object.entries(ENCODERS).find(([name]) => name === coding)?.[1];
      if (coding === "not-modified") {
        response.writeHead(304, { etag: '"u1"', "content-encoding": "gzip", "content-length": "17" }).end();
        return;
      }
      const body = encode === undefined ? Buffer.from(TEXT) : encode(TEXT);
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": String(body.length),
        "content-digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
        etag: '"u1"',
        "accept-ranges": "bytes",
        ...(encode === undefined ? {} : { "content-encoding": coding }),
      });
      response.end(body);
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const address = upstream.address();
    upstreamUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const own: EndpointDeclaration = { id: "own", method: "GET", path: "/own", handler: () => handler() };
    const mark: EndpointDeclaration = { id: "mark", method: "GET", path: "/mark", handler: () => "the mark" };
    server = await startServer({ config: { endpoints: [own, mark] } });
    secret = (await server.createKey({ endpoints: { mode: "full-access" } })).secret;
  });
  after(async () => {
    await server.close();
    upstream.close();
    upstream.closeAllConnections();
  });

  const requestOf = (method: string, path: string) => ({
    method,
    text: `${method} /api${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${secret}\r\n\r\n`,
  });
  /** The answer to the endpoint, on a connection whose next answer is then read, too. */
  const answerTo = async (made: () => unknown, method = "GET"): Promise<FramedAnswer> => {
    handler = made;
    const [answer, mark] = await exchange(server.port, [
      requestOf(method, "/own"),
      requestOf("GET", "/mark"),
    ]);
    if (answer === undefined) throw new Error("no answer");
    if (answer.isComplete) expect(mark?.body.toString()).to.equal("the mark");
    else expect(mark).to.equal(undefined);
    return answer;
  };

  for (const coding of Object.keys(ENCODERS)) {
    for (const [what, pass] of [
      ["a Response of fetch", (response: Response) => response],
      [
        "its body and headers in a new Response",
        (response: Response) => new Response(response.body, response),
      ],
      [
        "its text in a new Response",
        async (response: Response) => new Response(await response.text(), response),
      ],
    ] as const) {
      it(`has no word of ${coding} when a handler passes on ${what}`, async () => {
        const answer = await answerTo(async () => pass(await fetch(`${upstreamUrl}/${coding}`)));
        expect(answer.status).to.equal(200);
        expect(answer.headers).to.not.have.any.keys("content-encoding", "content-digest", "accept-ranges");
        expect(answer.headers["etag"]).to.equal('W/"u1"');
        expect(answer.headers["content-type"]).to.equal("application/json");
        expect(answer.body.toString()).to.equal(TEXT);
      });
    }

    it(`keeps ${coding} of bytes that have it`, async () => {
      const encode = Object.entries(ENCODERS).find(([name]) => name === coding)?.[1] ?? gzipSync;
      for (const body of [encode(TEXT), bytes(encode(TEXT).subarray(0, 10), encode(TEXT).subarray(10))]) {
        const headers = { "content-encoding": coding, "content-type": "application/json", etag: '"own"' };
        const answer = await answerTo(() => new Response(body, { headers }));
        expect(answer.headers).to.include({ "content-encoding": coding, etag: '"own"' });
        expect(answer.body.equals(encode(TEXT))).to.equal(true);
        const read = await fetch(`${server.url}/api/mark`, { headers: { "x-api-key": secret } });
        expect(await read.text()).to.equal("the mark");
      }
    });
  }

  it("keeps an etag and the type of what fetch did not decode", async () => {
    const answer = await answerTo(() => fetch(`${upstreamUrl}/plain`));
    expect(answer.headers).to.include({ etag: '"u1"', "content-type": "application/json" });
    expect(answer.body.toString()).to.equal(TEXT);
  });

  it("carries no coding and no length of another answer in a 304 and over HEAD", async () => {
    const notModified = await answerTo(() => fetch(`${upstreamUrl}/not-modified`));
    expect(notModified.status).to.equal(304);
    expect(notModified.headers).to.not.have.any.keys(
      "content-encoding",
      "content-length",
      "transfer-encoding",
    );
    const head = await answerTo(() => fetch(`${upstreamUrl}/gzip`), "HEAD");
    expect(head.headers).to.not.have.any.keys("content-encoding", "content-digest");
    expect(head.headers["content-length"] ?? String(TEXT.length)).to.equal(String(TEXT.length));
    const headOfHead = await answerTo(() => fetch(`${upstreamUrl}/gzip`, { method: "HEAD" }), "HEAD");
    expect(headOfHead.headers).to.not.have.any.keys("content-encoding", "content-length");
  });

  for (const length of ["0", "5", "4000", "abc", "5, 5", "-1", "18446744073709551617"]) {
    for (const method of ["GET", "HEAD"]) {
      it(`has the server's length where a handler says ${length}, over ${method}`, async () => {
        const body = `hello${SECOND}`;
        for (const made of [
          () => new Response(body, { headers: { "content-length": length } }),
          () => new Response(bytes("hello", SECOND), { headers: { "content-length": length } }),
          () => new Response(bytes("", "hello", "", SECOND, ""), { headers: { "content-length": length } }),
        ]) {
          const answer = await answerTo(made, method);
          expect(answer.status).to.equal(200);
          expect(answer.headers["content-length"]).to.equal(String(body.length));
          if (method === "GET") expect(answer.body.toString()).to.equal(body);
        }
      });
    }
  }

  it("is the server's whatever a handler says of transfer and connection", async () => {
    const headers = {
      "transfer-encoding": "gzip, chunked",
      connection: "close, x-hop",
      "x-hop": "1",
      trailer: "x-t",
      "content-length": "3",
      "content-md5": "x",
      digest: "sha-256=x",
      "repr-digest": "sha-256=:x:",
    };
    for (const made of [
      () => new Response(SECOND, { headers }),
      () => new Response(webSlowly([SECOND, "a"]), { headers }),
    ]) {
      const answer = await answerTo(made);
      expect(answer.body.toString()).to.match(/^HTTP/);
      expect(answer.headers).to.not.have.any.keys("x-hop", "trailer", "content-md5", "digest", "repr-digest");
      expect(answer.headers["connection"]).to.equal("keep-alive");
    }
  });

  for (const status of [204, 205, 304]) {
    for (const method of ["GET", "HEAD"]) {
      it(`has no body with ${status}, over ${method}`, async () => {
        const headers = {
          "content-length": "10",
          "content-encoding": "gzip",
          "transfer-encoding": "chunked",
        };
        const answer = await answerTo(() => new Response(null, { status, headers }), method);
        expect(answer.status).to.equal(status);
        expect(answer.headers).to.not.have.any.keys("transfer-encoding", "content-encoding");
        const length = status === 205 && method === "GET" ? "0" : undefined;
        expect(answer.headers["content-length"]).to.equal(length);
        expect(answer.body.length).to.equal(0);
        if (status !== 204) return;
        const nothing = await answerTo(() => undefined, method);
        expect(nothing.status).to.equal(204);
        expect(nothing.headers).to.not.have.any.keys("content-length", "transfer-encoding");
      });
    }
  }

  it("drops the body of another fetch's Response that may have none", async () => {
    for (const status of [204, 205, 304]) {
      let isDestroyed = false;
      const body = slowly([SECOND]).on("close", () => {
        isDestroyed = true;
      });
      const answer = await answerTo(() => foreignResponse({ status, body }));
      expect([answer.status, answer.body.length]).to.deep.equal([status, 0]);
      expect(isDestroyed).to.equal(true);
    }
  });

  it("answers 500 to a status that is no final one", async () => {
    for (const made of [
      () => Response.error(),
      () => foreignResponse({ status: 100 }),
      () => foreignResponse({ status: 101 }),
      () => foreignResponse({ status: 103 }),
      () => foreignResponse({ status: 999 }),
      () => foreignResponse({ status: Number.NaN }),
    ]) {
      const answer = await answerTo(made);
      expect(answer.status).to.equal(500);
      expect(answer.body.toString()).to.include("internal_error");
    }
  });

  it("answers 500 without any header of a Response that cannot be sent", async () => {
    const read = new Response("read");
    await read.text();
    const locked = new Response("locked", { headers: { "x-own": "1" } });
    locked.body?.getReader();
    for (const made of [
      () => read,
      () => locked,
      () => new Response("a", { headers: { "x-own": "1", "x-control": "a\u0001b" } }),
      () => new Response(webSlowly([], new Error("before the first byte")), { headers: { "x-own": "1" } }),
      () => foreignResponse({ body: Readable.from([{ no: "bytes" }]), headers: [["x-own", "1"]] }),
    ]) {
      const answer = await answerTo(made);
      expect(answer.status).to.equal(500);
      expect(answer.headers["content-type"]).to.match(/problem\+json/);
      expect(answer.headers).to.not.have.any.keys("x-own", "x-control");
    }
  });

  it("is cut, and not ended, when a stream fails midway", async () => {
    const failure = new Error("the disk is gone");
    for (const made of [
      () => new Response(webSlowly(["first", "second"], failure)),
      () => foreignResponse({ body: slowly(["first", "second"], failure) }),
    ]) {
      const answer = await answerTo(made);
      expect(answer.status).to.equal(200);
      expect(answer.isComplete).to.equal(false);
    }
  });

  it("sends streams of Node and of the web as they come", async () => {
    for (const made of [
      () => new Response(webSlowly(["a", "b", "c"])),
      () => new Response(bytes("a", "b", "c")),
      () => foreignResponse({ body: slowly(["a", "b", "c"]) }),
    ]) {
      const answer = await answerTo(made);
      expect([answer.status, answer.body.toString()]).to.deep.equal([200, "abc"]);
    }
  });

  it("lets a part be what its Content-Range says, or cuts it", async () => {
    const part = (body: BodyInit, range: string) => () =>
      new Response(body, { status: 206, headers: { "content-range": range, "content-length": "99" } });
    const good = await answerTo(part("hello", "bytes 0-4/10"));
    expect([good.status, good.headers["content-range"], good.body.toString()]).to.deep.equal([
      206,
      "bytes 0-4/10",
      "hello",
    ]);
    for (const range of ["bytes 0-5/10", "bytes 4-0/10", "bytes 0-4/3", "bytes */10", "lines 0-4/10", ""])
      expect((await answerTo(part("hello", range))).status, range).to.equal(500);
    const streamed = await answerTo(part(webSlowly(["hel", "lo"]), "bytes 0-4/10"));
    expect([streamed.headers["content-length"], streamed.body.toString()]).to.deep.equal(["5", "hello"]);
    const short = await answerTo(part(webSlowly(["hel", "l"]), "bytes 0-4/10"));
    expect(short.isComplete).to.equal(false);
    const long = await answerTo(part(webSlowly(["hel", `lo${SECOND}`]), "bytes 0-4/10"));
    expect(long.isComplete).to.equal(false);
    const whole = await answerTo(() => new Response("all", { headers: { "content-range": "bytes 0-2/9" } }));
    expect(whole.headers).to.not.have.any.keys("content-range");
    const none = await answerTo(
      () => new Response("no", { status: 416, headers: { "content-range": "bytes */9" } }),
    );
    expect(none.headers["content-range"]).to.equal("bytes */9");
  });

  it("ends the source of a body when the client is gone, before its first byte and after", async () => {
    for (const first of [[], ["first"]]) {
      let ended: (() => void) | undefined;
      const isEnded = new Promise<void>((resolve) => {
        ended = resolve;
      });
      const asked = new Promise<void>((resolve) => {
        handler = () =>
          new Response(
            new ReadableStream({
              start(controller) {
                for (const chunk of first) controller.enqueue(Buffer.from(chunk));
                resolve();
              },
              cancel: () => ended?.(),
            }),
          );
      });
      const socket = connect(server.port, "127.0.0.1");
      socket.write(requestOf("GET", "/own").text);
      await asked;
      if (first.length > 0) await once(socket, "data");
      socket.destroy();
      await isEnded;
    }
  });

  it("ends the source of a body over HEAD", async () => {
    const source = slowly(["a", "b", "c"]);
    const closed = once(source, "close");
    expect((await answerTo(() => foreignResponse({ body: source }), "HEAD")).status).to.equal(200);
    await closed;
  });

  it("is a fault for a stream without a Response, which is ended", async () => {
    const source = slowly(["a", "b", "c"]);
    const closed = once(source, "close");
    expect((await answerTo(() => source)).status).to.equal(500);
    await closed;
    let isCancelled = false;
    const cancel = (): void => {
      isCancelled = true;
    };
    expect((await answerTo(() => new ReadableStream({ cancel }))).status).to.equal(500);
    expect(isCancelled).to.equal(true);
  });

  it("is ended by the connection for HTTP/1.0", async () => {
    handler = () => new Response(webSlowly(["a", "b"]), { headers: { "content-length": "1" } });
    const socket = connect(server.port, "127.0.0.1");
    socket.write(`GET /api/own HTTP/1.0\r\nConnection: keep-alive\r\nX-API-Key: ${secret}\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).to.match(/\r\n\r\nab$/);
    expect(text.toLowerCase()).to.not.include("transfer-encoding").and.to.not.include("content-length");
  });

  it("lets fetch read what a handler compressed", async () => {
    handler = () => new Response(gzipSync(TEXT), { headers: { "content-encoding": "gzip" } });
    const response = await fetch(`${server.url}/api/own`, { headers: { "x-api-key": secret } });
    expect(await response.text()).to.equal(TEXT);
    expect(gunzipSync(gzipSync(TEXT)).toString()).to.equal(TEXT);
  });
});

/** As a package's own `fetch` has them: another class, whose body is a stream of Node, and whose status nobody checks. */
function foreignResponse({
  status = 200,
  body = null,
  headers = [],
}: {
  status?: number;
  body?: Readable | null;
  headers?: [string, string][];
}): unknown {
  return {
    status,
    body,
    headers: new Map(headers),
    bodyUsed: false,
    get [Symbol.toStringTag]() {
      return "Response";
    },
  };
}
