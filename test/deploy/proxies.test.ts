import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { expect } from "chai";
import { io, type Socket } from "socket.io-client";
import type { EndpointContext } from "../../src/config/config.ts";
import { fencedBlocks, ROOT, readDocument } from "../docs/documents.ts";
import { itIfThere } from "../helpers/needs.ts";
import {
  APACHE,
  CADDY,
  HAPROXY,
  missingFor,
  NGINX,
  type ProxyKind,
  ProxyProgram,
  PUBLIC_NAME,
} from "../helpers/proxy-program.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { freePort } from "../helpers/tls-proxy.ts";

/** Another loopback address than the proxy's own, so that it can be told from it. */
const CLIENT = "127.0.0.5";
const CLAIMED = "192.0.2.1";

const DEPLOYING = fencedBlocks("docs/deploying.md", readDocument("docs/deploying.md"));
const blockOf = (heading: string): string => {
  const block = DEPLOYING.find(({ id }) => id === `docs/deploying.md > ${heading}`);
  if (block === undefined) throw new Error(`docs/deploying.md has no block below ${heading}`);
  return block.text;
};

const CASES: readonly (readonly [string, ProxyKind, () => string])[] = [
  ["nginx", NGINX, () => blockOf("nginx")],
  ["Caddy", CADDY, () => blockOf("Caddy")],
  ["Caddy of deploy/compose.yaml", CADDY, () => readFileSync(join(ROOT, "deploy", "Caddyfile"), "utf8")],
  ["HAProxy", HAPROXY, () => blockOf("HAProxy")],
  ["Apache", APACHE, () => blockOf("Apache")],
];

for (const [title, kind, configuration] of CASES) {
  const missing = missingFor(kind);

  describe(`the documents' configuration of ${title}`, () => {
    let server: TestServer;
    let proxy: ProxyProgram | undefined;
    let port: number;
    let secret: string;
    let release: (() => void) | undefined;

    before(async () => {
      if (missing !== undefined) return;
      port = await freePort();
      const echo = ({ headers, body }: EndpointContext): unknown => ({
        headers,
        bytes: Buffer.isBuffer(body) ? body.length : 0,
      });
      const slow = (): Response =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Buffer.from("first"));
              release = () => {
                controller.enqueue(Buffer.from(" second"));
                controller.close();
              };
            },
          }),
        );
      server = await startServer({
        config: {
          publicOrigins: [`https://${PUBLIC_NAME}:${port}`],
          trustedProxies: ["127.0.0.1"],
          endpoints: [
            { id: "get", method: "GET", path: "/echo", handler: echo },
            { id: "post", method: "POST", path: "/echo", handler: echo, maxBodyBytes: 8 * 1024 ** 2 },
            { id: "slow", method: "GET", path: "/slow", handler: slow },
          ],
        },
      });
      secret = (await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } })).secret;
      proxy = await ProxyProgram.start(kind, configuration(), { port, upstreamPort: server.port });
    });
    after(async () => {
      await proxy?.close();
      await server?.close();
    });

    type Call = { method?: string; key?: string; headers?: Record<string, string>; body?: Buffer };
    const send = async (path: string, { method = "GET", key = secret, headers = {}, body }: Call = {}) => {
      const sent = request({
        host: "127.0.0.1",
        port,
        localAddress: CLIENT,
        servername: PUBLIC_NAME,
        rejectUnauthorized: false,
        path,
        method,
        headers: {
          host: `${PUBLIC_NAME}:${port}`,
          "x-api-key": key,
          ...(body === undefined
            ? {}
            : { "content-type": "application/octet-stream", "content-length": body.length }),
          ...headers,
        },
      });
      // A proxy that has refused a body may close while it is being sent.
      sent.on("error", () => {});
      if (method === "POST" && body === undefined) sent.flushHeaders();
      else sent.end(body);
      const [response]: IncomingMessage[] = await once(sent, "response");
      if (response === undefined) throw new Error("no response");
      return response;
    };
    const read = async (path: string, call: Call = {}): Promise<{ status: number; text: string }> => {
      const response = await send(path, call);
      return { status: response.statusCode ?? 0, text: await readText(response) };
    };
    const connectBy = (transports: ("websocket" | "polling")[], key = secret, headers = {}): Socket =>
      io(`https://127.0.0.1:${port}`, {
        path: "/realtime/",
        transports,
        auth: { apiKey: key },
        rejectUnauthorized: false,
        extraHeaders: { host: `${PUBLIC_NAME}:${port}`, ...headers },
        reconnection: false,
        forceNew: true,
      });

    itIfThere("passes Host on, and says itself where a call comes from", missing, async () => {
      const claims = { "x-forwarded-for": CLAIMED, forwarded: `for=${CLAIMED}`, "x-real-ip": CLAIMED };
      for (const headers of [{}, claims, { "X-FORWARDED-FOR": `${CLAIMED}, 127.0.0.1` }]) {
        const { status, text } = await read("/api/echo", { headers });
        expect(status, text).to.equal(200);
        const seen: { headers: IncomingHttpHeaders } = JSON.parse(text);
        expect(seen.headers).to.include({ host: `${PUBLIC_NAME}:${port}`, "x-forwarded-for": CLIENT });
        expect(seen.headers).to.not.have.any.keys("forwarded", "x-real-ip");
      }
    });

    itIfThere("leaves keys with authorized IPs to the address that calls", missing, async () => {
      const keyFor = (ip: string) =>
        server.createKey({ endpoints: { mode: "full-access" }, ips: { mode: "specified", list: [ip] } });
      const [own, claimed] = [await keyFor(CLIENT), await keyFor(CLAIMED)];
      const headers = { "x-forwarded-for": CLAIMED };
      expect((await read("/api/echo", { key: own.secret, headers })).status).to.equal(200);
      const refused = await read("/api/echo", { key: claimed.secret, headers });
      expect(refused.text).to.include("ip_not_authorized");
    });

    for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]] satisfies (
      | "websocket"
      | "polling"
    )[][]) {
      itIfThere(`carries connections by ${transports.join(", then ")}`, missing, async () => {
        const socket = connectBy(transports);
        await new Promise<void>((resolve, reject) => {
          socket.once("connect", resolve).once("connect_error", reject);
        });
        if (transports.length === 2 && socket.io.engine.transport.name !== "websocket")
          await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
        expect(socket.io.engine.transport.name).to.equal(transports.at(-1));
        const joined = await socket.emitWithAck("join", { channel: "lobby" });
        expect(joined).to.deep.include({ ok: true });
        const heard = new Promise((resolve) => socket.once("said", resolve));
        await server.admin("/channels/publish", {
          method: "POST",
          body: { channel: "lobby", eventName: "said" },
        });
        await heard;
        socket.close();
      });
    }

    itIfThere("keeps idle connections longer than a ping and its answer take", missing, async () => {
      const { text } = await read("/realtime/?EIO=4&transport=polling", { key: "" });
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      const limits = [
        ...configuration().matchAll(
          /^\s*(?:proxy_(?:read|send)_timeout|timeout (?:client|server|tunnel)) (\d+)s|\btimeout=(\d+)/gm,
        ),
      ].map(([, seconds, plain]) => Number(seconds ?? plain));
      if (kind !== CADDY) expect(limits).to.not.have.length(0);
      for (const seconds of limits) expect(seconds * 1000).to.be.above(pingInterval + pingTimeout);
    });

    itIfThere("takes bodies up to its limit, and refuses larger ones", missing, async () => {
      const taken = await read("/api/echo", { method: "POST", body: Buffer.alloc(1_900_000) });
      expect([taken.status, JSON.parse(taken.text).bytes]).to.deep.equal([200, 1_900_000]);
      // Caddy counts what comes. The others refuse the length that the head says, and may close while a body is being sent.
      const large = { "content-type": "application/octet-stream", "content-length": "3000000" };
      const refused = await send("/api/echo", {
        method: "POST",
        ...(kind === CADDY ? { body: Buffer.alloc(3_000_000) } : { headers: large }),
      });
      expect(refused.statusCode).to.be.oneOf(kind === CADDY ? [413, 502] : [413]);
      refused.destroy();
    });

    itIfThere("hands a stream on as it comes", missing, async () => {
      const response = await send("/api/slow");
      response.setEncoding("utf8");
      const [first] = await once(response, "data");
      expect(first).to.equal("first");
      release?.();
      expect(await readText(response)).to.equal(" second");
    });

    itIfThere("leaves ambiguous targets to the server, which refuses them", missing, async () => {
      for (const path of ["/api/files%2f..%2fsecret", "/api/echo;x=1"]) {
        const { status } = await read(path);
        expect(status, path).to.be.oneOf([400, 404]);
      }
    });
  });
}
