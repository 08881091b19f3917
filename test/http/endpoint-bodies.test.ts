import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { MultipartBody } from "../../src/http/multipart-body.ts";
import type { EndpointContext } from "../../src/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

type Shown = { type: string; json?: unknown; text?: string };

/** What a handler got, as JSON. */
async function show({ body }: EndpointContext): Promise<unknown> {
  if (Buffer.isBuffer(body)) return { type: "buffer", text: body.toString("latin1") } satisfies Shown;
  if (!(body instanceof MultipartBody)) return { type: typeof body, json: body } satisfies Shown;
  const parts: unknown[] = [];
  for await (const part of body) {
    if (part.kind === "field") parts.push(part);
    else {
      const { stream, ...rest } = part;
      let bytes = 0;
      for await (const chunk of stream) bytes += chunk.length;
      parts.push({ ...rest, bytes });
    }
  }
  return { type: "multipart", json: parts };
}

/** Takes the parts and reads no file. */
async function skim({ body }: EndpointContext): Promise<unknown> {
  const names: string[] = [];
  if (body instanceof MultipartBody) for await (const part of body) names.push(part.name);
  return names;
}

const BROKEN_DISK = "the disk is full";

async function store({ body }: EndpointContext): Promise<unknown> {
  const told: string[] = [];
  if (!(body instanceof MultipartBody)) return told;
  for await (const part of body) {
    if (part.kind === "field") continue;
    const disk = new Writable({ write: (_chunk, _encoding, done) => done(new Error(BROKEN_DISK)) });
    try {
      await pipeline(part.stream, disk);
    } catch (error) {
      told.push(error instanceof Error ? error.message : "");
    }
  }
  return told;
}

describe("the bodies that endpoints take", () => {
  let server: TestServer;
  let secret: string;
  let narrow: string;
  let calls = 0;
  let lastFault: Error | undefined;
  let onFault: (() => void) | undefined;
  let onBegin: (() => void) | undefined;

  before(async () => {
    const counted = (handler: (context: EndpointContext) => unknown) => (context: EndpointContext) => {
      calls += 1;
      return handler(context);
    };
    const fromFirst = async ({ body }: EndpointContext): Promise<unknown> => {
      if (body instanceof MultipartBody)
        for await (const part of body) if (part.kind === "file") return new Response(webOf(part.stream));
      return undefined;
    };
    const waits = async ({ body }: EndpointContext): Promise<unknown> => {
      try {
        if (!(body instanceof MultipartBody)) return undefined;
        for await (const part of body) {
          onBegin?.();
          if (part.kind === "file") await pipeline(part.stream, sink());
        }
      } catch (error) {
        lastFault = error instanceof Error ? error : undefined;
        onFault?.();
        throw error;
      }
      return "done";
    };
    const declared = { show, skim, store, waits, echo: fromFirst, ignore: () => "ignored" };
    server = await startServer({
      config: {
        endpoints: [
          ...Object.entries(declared).map(([id, handler]) => ({
            id,
            method: "POST" as const,
            path: `/${id}`,
            handler: counted(handler),
          })),
          { id: "small", method: "POST", path: "/small", handler: counted(show), maxBodyBytes: 1_000 },
          {
            id: "large",
            method: "POST",
            path: "/large",
            handler: counted(show),
            maxBodyBytes: 8 * 1024 ** 2,
          },
        ],
      },
    });
    secret = (await server.createKey({ endpoints: { mode: "full-access" } })).secret;
    narrow = (await server.createKey({ endpoints: { mode: "custom-allowed", list: ["small"] } })).secret;
  });
  after(() => server.close());

  const post = (path: string, body: BodyInit | null, type?: string, more: Record<string, string> = {}) =>
    fetch(`${server.url}/api${path}`, {
      method: "POST",
      headers: { "x-api-key": secret, ...(type === undefined ? {} : { "content-type": type }), ...more },
      body,
    });
  const codeOf = async (response: Response): Promise<unknown> => {
    const problem: unknown = await response.json();
    return typeof problem === "object" && problem !== null && "code" in problem ? problem.code : undefined;
  };

  it("are forms, as an object", async () => {
    const form = new URLSearchParams([
      ["a", "1"],
      ["b", "x y"],
      ["b", "é"],
      ["c[d]", ""],
    ]);
    const expected = { type: "object", json: { a: "1", b: ["x y", "é"], "c[d]": "" } };
    expect(await (await post("/show", form)).json()).to.deep.equal(expected);
    const type = "application/x-www-form-urlencoded; charset=UTF-8";
    expect(await (await post("/show", form.toString(), type)).json()).to.deep.equal(expected);
    expect(await (await post("/show", "", type)).json()).to.deep.equal({ type: "object", json: {} });
  });

  it("are no forms of too many fields, of a poisoned name or in another charset", async () => {
    const type = "application/x-www-form-urlencoded";
    expect((await post("/show", "a&".repeat(999).slice(0, -1), type)).status).to.equal(200);
    expect(await codeOf(await post("/show", "a&".repeat(500_000), type))).to.equal("payload_too_large");
    expect(await codeOf(await post("/show", "__proto__=1&__proto__=2", type))).to.equal("invalid_request");
    const latin = await post("/show", "a=%e9", `${type}; charset=iso-8859-1`);
    expect([latin.status, await codeOf(latin)]).to.deep.equal([415, "unsupported_media_type"]);
    const object = await post("/show", "constructor=1&toString=2&hasOwnProperty=3", type);
    expect(await object.json()).to.have.nested.property("json.toString", "2");
  });

  it("are octets, as a Buffer, with a type or without one", async () => {
    const octets = Buffer.from([0, 255, 128, 10, 13, 65]);
    for (const type of ["application/octet-stream", "image/png", "audio/ogg", "application/pdf", undefined]) {
      const response = await post("/show", octets, type);
      expect(await response.json(), type).to.deep.equal({ type: "buffer", text: octets.toString("latin1") });
    }
  });

  it("are none where the length is 0, as browsers say of a POST without a body", async () => {
    expect(await (await post("/show", null)).json()).to.deep.equal({ type: "undefined" });
    expect(await (await post("/show", "", "application/json")).json()).to.deep.equal({ type: "undefined" });
  });

  it("are JSON of every type that says so, and text", async () => {
    for (const type of [
      "application/json",
      "application/vnd.api+json",
      "application/ld+json; charset=utf-8",
      "application/CloudEvents+JSON",
    ]) {
      expect(await (await post("/show", '{"a":1}', type)).json(), type).to.deep.equal({
        type: "object",
        json: { a: 1 },
      });
      expect((await post("/show", "{", type)).status).to.equal(400);
      expect((await post("/show", '{"__proto__":{}}', type)).status).to.equal(400);
    }
    expect(await (await post("/show", "hi", "text/plain")).json()).to.deep.equal({
      type: "string",
      json: "hi",
    });
    for (const type of [
      "application/xml",
      "application/jsonx",
      "application/x+jsonp",
      "multipart/mixed; boundary=a",
    ])
      expect((await post("/show", "<a/>", type)).status, type).to.equal(415);
  });

  it("are not compressed", async () => {
    for (const coding of ["gzip", "br", "deflate", "gzip, identity"]) {
      const response = await post("/show", gzipSync('{"a":1}'), "application/json", {
        "content-encoding": coding,
      });
      expect([response.status, await codeOf(response)]).to.deep.equal([415, "unsupported_media_type"]);
      expect(response.headers.get("accept-encoding")).to.equal("identity");
    }
    const channels = await fetch(`${server.url}/channels/publish`, {
      method: "POST",
      headers: { "x-api-key": secret, "content-encoding": "gzip", "content-type": "application/json" },
      body: gzipSync("{}"),
    });
    expect(channels.status).to.equal(415);
    const identity = await post("/show", '{"a":1}', "application/json", { "content-encoding": "identity" });
    expect(identity.status).to.equal(200);
  });

  it("are parts, fields and files in their order", async () => {
    const form = new FormData();
    form.append("title", "größe");
    form.append("photo", new Blob(["x".repeat(300_000)], { type: "image/png" }), "a/../b/photo.png");
    form.append("note", "after the file");
    form.append("empty", new Blob([]), "empty.txt");
    expect(await (await post("/show", form)).json()).to.deep.equal({
      type: "multipart",
      json: [
        { kind: "field", name: "title", value: "größe" },
        { kind: "file", name: "photo", filename: "photo.png", mediaType: "image/png", bytes: 300_000 },
        { kind: "field", name: "note", value: "after the file" },
        {
          kind: "file",
          name: "empty",
          filename: "empty.txt",
          mediaType: "application/octet-stream",
          bytes: 0,
        },
      ],
    });
  });

  it("let a handler stream a file on as its answer", async () => {
    const form = new FormData();
    form.append("photo", new Blob(["y".repeat(700_000)]), "photo.png");
    expect(await (await post("/echo", form)).text()).to.equal("y".repeat(700_000));
  });

  it("hold nobody up when files are left unread, or their reader fails", async () => {
    const form = new FormData();
    for (const name of ["a", "b", "c"]) form.append(name, new Blob(["z".repeat(250_000)]), name);
    form.append("last", "field");
    const skimmed = await post("/skim", form);
    expect(await skimmed.json()).to.deep.equal(["a", "b", "c", "last"]);
    expect(await (await post("/ignore", form)).text()).to.equal("ignored");
    expect(await (await post("/store", form)).json()).to.deep.equal([BROKEN_DISK, BROKEN_DISK, BROKEN_DISK]);
  });

  it("leave the connection to the next call when a handler read none, or half", async () => {
    const file = `--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n${"f".repeat(600_000)}\r\n--b--\r\n`;
    const call = (path: string): string =>
      `POST /api${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${secret}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${file.length}\r\n\r\n${file}`;
    const socket = connect(server.port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      text += String(chunk);
    });
    for (const [index, path] of ["/ignore", "/skim", "/ignore", "/show"].entries()) {
      socket.write(call(path));
      while ((text.match(/HTTP\/1\.1 200/g)?.length ?? 0) <= index) await once(socket, "data");
    }
    expect(text).to.include('"bytes":600000');
    socket.destroy();
  });

  it("have at most as many bytes as their endpoint takes, whether their length is said or not", async () => {
    const form = new FormData();
    form.append("photo", new Blob(["x".repeat(3 * 1024 ** 2)]), "photo.png");
    const large = JSON.stringify("x".repeat(3 * 1024 ** 2));
    for (const response of [await post("/large", form), await post("/large", large, "application/json")]) {
      expect(response.status).to.equal(200);
      await response.arrayBuffer();
    }
    const before = calls;
    for (const [body, type] of [
      [form, undefined],
      [JSON.stringify("x".repeat(2_000)), "application/json"],
      ["x".repeat(2_000), "application/octet-stream"],
      [`a=${"x".repeat(2_000)}`, "application/x-www-form-urlencoded"],
    ] as const) {
      const response = await post("/small", body, type);
      expect([response.status, await codeOf(response)]).to.deep.equal([413, "payload_too_large"]);
    }
    expect(calls).to.equal(before);
    const chunk = "x".repeat(500);
    for (const type of ["application/octet-stream", "multipart/form-data; boundary=b"]) {
      const head = type.startsWith("multipart")
        ? '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        : "";
      expect(await chunked("/small", type, [head, chunk, chunk, chunk]), type).to.equal(413);
    }
  });

  it("have bounds on parts, files, fields and their heads", async () => {
    const field = (name: string, value = "v", more = ""): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const send = async (parts: string): Promise<[number, unknown]> => {
      const response = await post("/large", `${parts}--b--\r\n`, "multipart/form-data; boundary=b");
      if (response.status !== 200) return [response.status, await codeOf(response)];
      await response.arrayBuffer();
      return [200, ""];
    };
    const tooLarge = [413, "payload_too_large"];
    expect(await send(field("f").repeat(1_000))).to.deep.equal([200, ""]);
    expect(await send(field("f").repeat(1_001))).to.deep.equal(tooLarge);
    expect(await send(field("f").repeat(60_000))).to.deep.equal(tooLarge);
    expect(await send(field("f", "v", '; filename="x"').repeat(101))).to.deep.equal(tooLarge);
    expect(await send(field("f", "v".repeat(256 * 1024)))).to.deep.equal([200, ""]);
    expect(await send(field("f", "v".repeat(256 * 1024 + 1)))).to.deep.equal(tooLarge);
    const [status] = await send(field("f", "v", `; filename="${"x".repeat(1_000_000)}"`));
    expect(status).to.be.oneOf([200, 400, 413]);
    expect((await send(`--b\r\nContent-Disposition: form-data\r\n\r\nv\r\n`))[0]).to.equal(400);
  });

  it("are refused when they are no multipart or end early", async () => {
    for (const type of [
      "multipart/form-data",
      "multipart/form-data; boundary=",
      "multipart/form-data; boundary=a; boundary=b",
      `multipart/form-data; boundary=${"x".repeat(71)}`,
    ])
      expect((await post("/show", "x", type)).status, type).to.equal(400);
    const type = "multipart/form-data; boundary=b";
    for (const body of [
      "",
      "no boundary here",
      "--b\r\n",
      '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhalf',
      '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nhalf',
    ])
      expect((await post("/show", body, type)).status, body).to.equal(400);
  });

  it("fail for their handler when the client goes away in the middle", async () => {
    const heard = new Promise<void>((resolve) => {
      onFault = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      onBegin = resolve;
    });
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `POST /api/waits HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${secret}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhalf`,
    );
    await begun;
    socket.destroy();
    await heard;
    expect(lastFault?.message).to.match(/early|over/);
  });

  it("are not read before the key may call", async () => {
    const before = calls;
    for (const [key, status] of [
      ["slc_nobody", 401],
      [narrow, 403],
    ] as const) {
      for (const type of [
        "multipart/form-data; boundary=b",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
      ]) {
        const sent = httpRequest(`${server.url}/api/show`, {
          method: "POST",
          headers: {
            "x-api-key": key,
            "content-type": type,
            "content-length": 1_000_000,
            expect: "100-continue",
          },
        });
        let isAsked = false;
        sent.on("continue", () => {
          isAsked = true;
        });
        sent.flushHeaders();
        const [response] = await once(sent, "response");
        expect(response.statusCode).to.equal(status);
        expect(isAsked).to.equal(false);
        sent.destroy();
      }
    }
    expect(calls).to.equal(before);
  });

  async function chunked(path: string, type: string, chunks: string[]): Promise<number> {
    const sent = httpRequest(`${server.url}/api${path}`, {
      method: "POST",
      headers: { "x-api-key": secret, "content-type": type, "transfer-encoding": "chunked" },
    });
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
    const [response] = await once(sent, "response");
    response.resume();
    return response.statusCode;
  }
});

function webOf(stream: Readable): ReadableStream {
  const web = Readable.toWeb(stream);
  if (web instanceof ReadableStream) return web;
  throw new Error("not the global class");
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
