/**
 * One of the HTTP servers that run on Node, in a process of its own. Argument: what it is told, as JSON. Prints where it
 * listens.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import cors from "@fastify/cors";
import { type FastifyReply, fastify } from "fastify";
import { type EndpointContext, resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer } from "../../src/server.ts";
import { type Answer, Task } from "../http/answer.ts";
import { ORIGIN } from "../http/cases.ts";

const task = Task.Parse(JSON.parse(process.argv[2] ?? ""));
const ORDERS = Array.from({ length: 5 }, (_, id) => ({ id, item: "tea", price: 4.5 }));
const taken = (body: unknown) => ({ taken: true, item: itemOf(body) });

// An end that lets a profile be written.
process.once("SIGINT", () => process.exit());
if (task.kind === "sluice") await startSluice();
else if (task.kind === "fastify") await startFastify();
else if (task.kind === "fastify-by-hand") await startFastifyByHand();
else if (task.kind === "express") startExpress(task.modules ?? "");
else throw new Error(`no server is called ${task.kind}`);

function listening(port: number, adminUrl?: string): void {
  console.log(JSON.stringify({ port, adminUrl }));
}

/** As `sluice start` runs it, with its store on disk. */
async function startSluice(): Promise<void> {
  const config = resolveConfig({
    port: 0,
    adminPort: 0,
    host: "127.0.0.1",
    store: `lmdb:${task.modules ?? ""}`,
    adminToken: task.adminToken,
    endpoints: [
      { id: "list-orders", method: "GET", path: "/orders", handler: () => ORDERS },
      {
        id: "take-order",
        method: "POST",
        path: "/orders",
        handler: ({ body }: EndpointContext) => taken(body),
      },
    ],
  });
  const { url, adminUrl } = await createServer(config, { log: createLogger("error") }).start();
  listening(Number(new URL(url).port), adminUrl);
}

/** Nothing but the same answers: an object that is written as JSON, with the same headers. */
async function startFastify(): Promise<void> {
  const app = fastify();
  const give = (answer: Answer) => {
    const headers = Object.fromEntries(answer.headers);
    const body: unknown = answer.body === "" ? undefined : JSON.parse(answer.body);
    return async (_request: unknown, reply: FastifyReply) =>
      reply.code(answer.status).headers(headers).send(body);
  };
  const refused = task.answers.find(({ name }) => name === "refused");
  for (const answer of task.answers) {
    if (answer.name === "404") app.setNotFoundHandler(give(answer));
    else if (answer.name !== "refused")
      app.route({ method: answer.method, url: answer.path, handler: give(answer) });
  }
  // In the run in which all are refused; telling them apart would be a check.
  if (refused !== undefined) app.get("/refused", give(refused));
  await app.listen({ port: 0, host: "127.0.0.1" });
  listening(portOf(app.server.address()));
}

/** What one writes without Sluice: the key from its header, its domain and its address compared, one endpoint allowed. */
async function startFastifyByHand(): Promise<void> {
  const app = fastify();
  await app.register(cors, { origin: true, credentials: true });
  app.addHook("onRequest", async (request, reply) => {
    const refusal = checkedByHand(request.headers, request.ip);
    reply.header("x-content-type-options", "nosniff");
    reply.header("cache-control", "no-store");
    if (refusal !== undefined) return reply.code(401).send({ error: refusal });
    return undefined;
  });
  app.get("/api/orders", async () => ORDERS);
  app.post("/api/orders", async (request) => taken(request.body));
  await app.listen({ port: 0, host: "127.0.0.1" });
  listening(portOf(app.server.address()));
}

function startExpress(modules: string): void {
  const load = createRequire(join(modules, "package.json"));
  const express = load("express");
  const app = express();
  app.use(load("cors")({ origin: true, credentials: true }));
  app.use((request: ExpressRequest, response: ExpressResponse, next: () => void) => {
    response.set("x-content-type-options", "nosniff").set("cache-control", "no-store");
    const refusal = checkedByHand(request.headers, request.ip ?? "");
    if (refusal === undefined) next();
    else response.status(401).json({ error: refusal });
  });
  app.use(express.json());
  app.get("/api/orders", (_request: ExpressRequest, response: ExpressResponse) => response.json(ORDERS));
  app.post("/api/orders", (request: ExpressRequest, response: ExpressResponse) =>
    response.json(taken(request.body)),
  );
  const server = app.listen(0, "127.0.0.1", () => listening(portOf(server.address())));
}

type ExpressRequest = {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly ip?: string;
  readonly body: unknown;
};
type ExpressResponse = {
  set(name: string, value: string): ExpressResponse;
  status(code: number): ExpressResponse;
  json(body: unknown): void;
};

function checkedByHand(headers: Readonly<Record<string, unknown>>, ip: string): string | undefined {
  if (headers["x-api-key"] !== task.secret) return "unknown key";
  if (headers["origin"] !== ORIGIN) return "not from this page";
  return ip.startsWith("127.") ? undefined : "not from this address";
}

function itemOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "item" in body ? body.item : null;
}

function portOf(address: unknown): number {
  if (typeof address === "object" && address !== null && "port" in address) return Number(address.port);
  throw new Error("it does not listen");
}
