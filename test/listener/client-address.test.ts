import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { expect } from "chai";
import { createAddressOf } from "../../src/listener/client-address.ts";
import { createLogger } from "../../src/observe/log.ts";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer } from "../helpers/server.ts";

/** What the log says of requests from one peer with these headers, one after the other. */
function linesOf(trustedProxies: string[], requests: Record<string, string>[]): string[] {
  let text = "";
  const log = createLogger(
    "warn",
    new Writable({
      write: (chunk, _encoding, done) => {
        text += String(chunk);
        done();
      },
    }),
  );
  const addressOf = createAddressOf({ trustedProxies, forwardedHeader: "x-forwarded-for" }, log);
  for (const headers of requests) {
    const socket = new Socket();
    Object.defineProperty(socket, "remoteAddress", { value: "10.0.0.1" });
    const request = new IncomingMessage(socket);
    request.headers = headers;
    addressOf(request);
  }
  return text.split("\n").filter((line) => line !== "");
}

describe("the notices about a proxy's forwarding header", () => {
  it("say once that a trusted proxy does not set it", () => {
    const lines = linesOf(["10.0.0.0/8"], [{ "x-forwarded-for": "192.0.2.1" }, {}, {}, {}]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include("does not set that header").and.to.include("10.0.0.1");
  });

  it("say once that it sets another one, or one that cannot be read", () => {
    const lines = linesOf(
      ["10.0.0.0/8"],
      [
        { forwarded: "for=192.0.2.1" },
        { "x-real-ip": "192.0.2.1" },
        { "x-forwarded-for": "x" },
        { "x-forwarded-for": "y" },
      ],
    );
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include("another forwarding header");
    expect(lines[1]).to.include("cannot be read");
  });

  it("say nothing of a proxy that sets it, and nothing of who is no proxy", () => {
    expect(linesOf(["10.0.0.0/8"], [{ "x-forwarded-for": "192.0.2.1" }])).to.deep.equal([]);
    expect(linesOf(["10.9.0.0/16"], [{}, { "x-forwarded-for": "192.0.2.1" }])).to.deep.equal([]);
  });

  it("leave a call of the proxy's own, without the header, with the proxy's address", async () => {
    const server = await startServer({
      config: {
        trustedProxies: ["127.0.0.1"],
        endpoints: [{ id: "a", method: "GET", path: "/a", handler: () => "a" }],
      },
    });
    const { secret } = await server.createKey({
      endpoints: { mode: "full-access" },
      ips: { mode: "specified", list: ["192.0.2.1"] },
    });
    const call = (...lines: string[]) =>
      sendRaw(server.port, rawRequest("GET", "/api/a", [`X-API-Key: ${secret}`, ...lines]));
    expect((await call("X-Forwarded-For: 192.0.2.1")).status).to.equal(200);
    expect((await call()).status).to.equal(403);
    await server.close();
  });
});
