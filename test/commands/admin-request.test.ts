import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { expect } from "chai";
import { ask } from "../../src/commands/admin-request.ts";

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
