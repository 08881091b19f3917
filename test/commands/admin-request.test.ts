import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { expect } from "chai";
import { ask, type Patience } from "../../src/commands/admin-request.ts";
import { CommandError } from "../../src/commands/command-error.ts";

const IMPATIENT: Patience = { connectMs: 10_000, answerMs: 30_000, terminalNoteMs: 10, noteMs: 10 };

describe("a request of the command line", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  async function listen(server: Server): Promise<URL> {
    servers.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new URL(`http://127.0.0.1:${address.port}/admin/v1/keys`);
  }
  const failure = async (url: URL, longWork?: string): Promise<string> => {
    try {
      await ask(url, { method: "GET", headers: {}, ...(longWork === undefined ? {} : { longWork }) });
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    throw new Error("it was answered");
  };

  it("says that nobody listens only where nobody does", async () => {
    const server = createTcpServer();
    const url = await listen(server);
    server.close();
    await once(server, "close");
    expect(await failure(url))
      .to.include("no server answers at")
      .and.to.include("ECONNREFUSED");
    expect(await failure(new URL("http://no-such-host.invalid/"))).to.include("no server answers at");
  });

  it("says that the work may be done where the connection ends before the answer", async () => {
    const url = await listen(createTcpServer((socket) => socket.once("data", () => socket.destroy())));
    expect(await failure(url, "Importing"))
      .to.include("ended the connection before it answered")
      .and.to.include("may have carried it out")
      .and.to.not.include("start one");
  });

  it("says that an answer ended half way", async () => {
    const server = createHttpServer((_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => response.destroy());
    });
    expect(await failure(await listen(server))).to.match(/half way|did not end its answer/);
  });

  it("says that a server that listens and does not answer may still carry it out", async () => {
    const url = await listen(createTcpServer((socket) => socket.on("error", () => {}).resume()));
    const failed: unknown = await ask(
      url,
      { method: "GET", headers: {} },
      { ...IMPATIENT, answerMs: 100 },
    ).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(CommandError);
    expect(String(failed))
      .to.include("has not answered within 0.1 s")
      .and.to.include("may still carry it out")
      .and.to.not.include("start one");
  });

  it("waits for long work without a limit, and says on standard error that it does", async () => {
    const write = process.stderr.write;
    let notes = "";
    let onNotes: (() => void) | undefined;
    const noted = new Promise<void>((resolve) => {
      onNotes = resolve;
    });
    const server = createHttpServer((_request, response) => {
      noted.then(
        () => response.end("done"),
        () => response.destroy(),
      );
    });
    const url = await listen(server);
    process.stderr.write = (text: string | Uint8Array) => {
      notes += String(text);
      if (notes.split("at work").length > 2) onNotes?.();
      return true;
    };
    try {
      const question = { method: "POST", headers: {}, longWork: "Importing" };
      const answer = await ask(url, question, { ...IMPATIENT, answerMs: 1 });
      expect(answer).to.deep.equal({ status: 200, text: "done" });
    } finally {
      process.stderr.write = write;
    }
    expect(notes).to.match(/Importing: the server is at work/);
  });

  it("gives a body of any length with its status", async () => {
    const server = createHttpServer((request, response) => {
      let received = 0;
      request.on("data", (chunk) => {
        received += chunk.length;
      });
      request.on("end", () => response.writeHead(201).end(`\u00e9 ${received}`));
    });
    const body = "\u00e9".repeat(1_000_000);
    const answer = await ask(await listen(server), {
      method: "POST",
      headers: {},
      body,
      longWork: "Importing",
    });
    expect(answer).to.deep.equal({ status: 201, text: "\u00e9 2000000" });
  });
});
