import { connect, createServer as createTcpServer } from "node:net";
import { expect } from "chai";
import { createLogger } from "../../src/observe/log.ts";
import { METRIC_ROWS, Metrics } from "../../src/observe/metrics.ts";
import { Traffic } from "../../src/observe/traffic.ts";
import { ERROR_TABLE } from "../../src/protocol/index.ts";
import { readDocument, tableRows } from "../docs/documents.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const METRICS_TOKEN = "metrics-token-0123456789";

type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** The text form of Prometheus, every line of it. @throws for a line that is not valid */
function parseText(text: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "" || /^# HELP [a-z_0-9]+ \S.*$/.test(line)) continue;
    const [, typed, type] = /^# TYPE ([a-z_0-9]+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) {
      types.set(typed, type);
      continue;
    }
    const [, name, inner = "", value] =
      /^([a-z_][a-z_0-9]*)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not valid: ${line}`);
    const labels = [...inner.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", text = ""]) => [
      key,
      text,
    ]);
    const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
    if (value !== "Nan" && Number.isNaN(number)) throw new Error(`not a number: ${line}`);
    samples.push({ name, labels: Object.fromEntries(labels), value: number });
  }
  return { samples, types };
}

async function scrape(server: TestServer): Promise<ReturnType<typeof parseText>> {
  const response = await fetch(`${server.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${server.adminToken}` },
  });
  expect(response.status).to.equal(200);
  expect(response.headers.get("content-type")).to.include("version=0.0.4");
  return parseText(await response.text());
}

function figureOf(
  { samples }: ReturnType<typeof parseText>,
  name: string,
  labels: object = {},
): number | undefined {
  return samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
  )?.value;
}

describe("the metrics of a node", () => {
  it("count what happened: connections, messages, decisions, publishes and endpoint calls", async () => {
    const server = await startServer({
      config: { endpoints: [{ id: "hello", method: "GET", path: "/hello", handler: async () => "hi" }] },
    });
    const { secret } = await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    await client.request("join", { channel: "a" });
    for (let i = 0; i < 3; i += 1)
      await client.request("message", { channel: "a", eventName: "x", message: i });
    const call = await fetch(`${server.url}/api/hello`, { headers: { authorization: `Bearer ${secret}` } });
    expect(call.status).to.equal(200);
    await fetch(`${server.url}/api/hello`, { headers: { authorization: "Bearer slc_nobody" } });

    const metrics = await scrape(server);
    expect(figureOf(metrics, "sluice_connections")).to.equal(1);
    expect(figureOf(metrics, "sluice_memberships")).to.equal(1);
    expect(figureOf(metrics, "sluice_connections_opened_total")).to.equal(1);
    expect(figureOf(metrics, "sluice_messages_published_total")).to.equal(3);
    expect(figureOf(metrics, "sluice_messages_delivered_total")).to.equal(3);
    expect(figureOf(metrics, "sluice_publish_seconds_count")).to.equal(3);
    expect(figureOf(metrics, "sluice_endpoint_seconds_count", { endpoint: "hello" })).to.equal(1);
    expect(figureOf(metrics, "sluice_decisions_total", { code: "allowed" })).to.be.at.least(5);
    expect(figureOf(metrics, "sluice_decisions_total", { code: "invalid_api_key" })).to.equal(1);
    expect(figureOf(metrics, "sluice_overload_stage")).to.equal(0);
    expect(figureOf(metrics, "process_resident_memory_bytes")).to.be.above(10_000_000);
    client.close();
    await server.close();
  });

  it("are those of docs/metrics.md, with their types and labels", async () => {
    const server = await startServer();
    const { types } = await scrape(server);
    await server.close();
    const rows = tableRows(readDocument("docs/metrics.md"), ["metric", "type", "labels", "what it is"]);
    const documented = rows.map(([name = "", type = "", label = "", help = ""]) => [
      name.replaceAll("`", ""),
      type,
      label.replaceAll("`", ""),
      help,
    ]);
    expect(documented).to.deep.equal(
      METRIC_ROWS.map(({ name, type, label, help }) => [name, type, label ?? "", help]),
    );
    expect([...types]).to.deep.equal(METRIC_ROWS.map(({ name, type }) => [name, type]));
  });

  it("have cumulative buckets that end with the count", async () => {
    const server = await startServer();
    const { secret } = await server.createKey({ allowRealtime: true });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    for (let i = 0; i < 20; i += 1)
      await client.request("message", { channel: "a", eventName: "x", message: i });
    const metrics = await scrape(server);
    const buckets = metrics.samples.filter(({ name }) => name === "sluice_publish_seconds_bucket");
    const counts = buckets.map(({ value }) => value);
    expect(counts).to.deep.equal([...counts].sort((a, b) => a - b));
    expect(buckets.at(-1)?.labels["le"]).to.equal("+Inf");
    expect(counts.at(-1)).to.equal(20);
    expect(figureOf(metrics, "sluice_publish_seconds_sum")).to.be.within(0.0001, 60);
    client.close();
    await server.close();
  });

  it("have no label that comes from a client, after a thousand hostile requests", async () => {
    const server = await startServer({
      config: { endpoints: [{ id: "hello", method: "GET", path: "/hello", handler: async () => "hi" }] },
    });
    const { secret } = await server.createKey({ allowRealtime: true });
    const before = (await scrape(server)).samples.length;
    for (let i = 0; i < 1_000; i += 100) {
      const requests = Array.from({ length: 100 }, async (_, j) => {
        const name = encodeURIComponent(`"},x{a="${i + j}\n`);
        const paths = [
          `/api/${name}`,
          `/channels/members?channel=${name}`,
          `/${name}`,
          `/realtime/?EIO=4&x=${name}`,
        ];
        const key = j % 2 === 0 ? secret : `wrong-${i}-${j}`;
        const response = await fetch(`${server.url}${paths[j % paths.length]}`, {
          headers: { authorization: `Bearer ${key}`, origin: `https://x${i + j}.example` },
        });
        await response.arrayBuffer();
      });
      await Promise.all(requests);
    }
    const { samples } = await scrape(server);
    const codes = new Set(["allowed", ...Object.keys(ERROR_TABLE)]);
    for (const { name, labels } of samples) {
      for (const [label, text] of Object.entries(labels)) {
        if (label === "code") expect(codes).to.include(text);
        else if (label === "endpoint") expect(text).to.equal("hello");
        else expect(label, name).to.be.oneOf(["le", "version", "budget"]);
      }
    }
    expect(samples.length - before).to.be.below(codes.size);
    await server.close();
  });

  it("count the bytes of connections that are open and of those that have closed", async () => {
    const server = await startServer();
    const received = async (): Promise<number> =>
      Number(figureOf(await scrape(server), "sluice_network_received_bytes_total"));
    const { secret } = await server.createKey({ allowRealtime: true });
    const publish = (text: string) =>
      fetch(`${server.url}/channels/publish`, {
        method: "POST",
        headers: { "x-api-key": secret, "content-type": "application/json" },
        body: JSON.stringify({ channel: "a", eventName: "e", message: text }),
      });
    expect((await publish("x".repeat(100_000))).status).to.equal(200);
    const open = await received();
    expect(open).to.be.within(100_000, 102_000);
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    await client.request("message", { channel: "a", eventName: "e", message: "x".repeat(50_000) });
    client.close();
    expect(await received()).to.be.within(open + 50_000, open + 54_000);
    await server.close();
  });

  it("keep their last value where a figure cannot be read, and answer all the same", async () => {
    let isShort = false;
    const metrics = new Metrics(
      {
        version: "1.0.0",
        traffic: new Traffic(),
        gauges: () => ({ connections: 7, channels: 0, memberships: 0 }),
        budgets: [],
        network: () => ({ receivedBytes: 0, sentBytes: 0 }),
        process: () => {
          if (isShort) throw new Error("EMFILE: too many open files");
          return {
            residentBytes: 1234,
            heapLiveBytes: 1,
            heapLimitBytes: 1,
            openDescriptors: 1,
            maxDescriptors: undefined,
            loopDelayP50Ms: 0,
            loopDelayP99Ms: 0,
            loopDelayMaxMs: 0,
          };
        },
        overload: () => ({ stage: 0, shed: 0 }),
      },
      createLogger("silent"),
    );
    await metrics.text();
    isShort = true;
    const parsed = parseText(await metrics.text());
    expect(figureOf(parsed, "process_resident_memory_bytes")).to.equal(1234);
    expect(figureOf(parsed, "sluice_connections")).to.equal(7);
  });
});

describe("who may read the metrics", () => {
  const get = (url: string, token?: string) =>
    fetch(`${url}/metrics`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

  it("is whoever has the admin token or the metrics token, which opens nothing else", async () => {
    const server = await startServer({ config: { metricsToken: METRICS_TOKEN } });
    const statuses = [];
    for (const token of [undefined, "wrong-token-0123456789", METRICS_TOKEN, server.adminToken]) {
      const response = await get(server.adminUrl, token);
      statuses.push(response.status);
      await response.arrayBuffer();
    }
    expect(statuses).to.deep.equal([401, 401, 200, 200]);
    expect((await server.admin("/status", { token: METRICS_TOKEN })).status).to.equal(401);
    expect(
      (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } }))
        .status,
    ).to.equal(404);
    const { body } = await server.admin("/settings");
    expect(JSON.stringify(body)).to.not.include(METRICS_TOKEN);
    await server.close();
  });

  it("needs the admin token where there is no other", async () => {
    const server = await startServer();
    expect((await get(server.adminUrl)).status).to.equal(401);
    expect((await get(server.adminUrl, server.adminToken)).status).to.equal(200);
    await server.close();
  });

  it("is everybody on metricsPort, unless a token is set; nothing else is there, and it ends with the server", async () => {
    const open = await startServer({ config: { metricsPort: 0 } });
    const { metricsUrl = "" } = open.started;
    expect((await get(metricsUrl)).status).to.equal(200);
    expect((await fetch(`${metricsUrl}/readyz`)).status).to.equal(200);
    expect((await fetch(`${metricsUrl}/healthz`)).status).to.equal(200);
    for (const path of ["/console/", "/admin/v1/status", "/channels"])
      expect((await fetch(metricsUrl + path)).status).to.equal(404);
    await open.close();
    expect(await isRefused(metricsUrl)).to.equal(true);

    const guarded = await startServer({ config: { metricsPort: 0, metricsToken: METRICS_TOKEN } });
    const url = guarded.started.metricsUrl ?? "";
    const statuses = [await get(url), await get(url, guarded.adminToken), await get(url, METRICS_TOKEN)];
    expect(statuses.map(({ status }) => status)).to.deep.equal([401, 401, 200]);
    await guarded.close();
  });

  it("stops the start where metricsPort is taken, and leaves nothing open", async () => {
    const other = createTcpServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const metricsPort = typeof address === "object" && address !== null ? address.port : 0;
    let fault: unknown;
    await startServer({ config: { metricsPort } }).catch((error: unknown) => {
      fault = error;
    });
    expect(fault).to.include({ code: "EADDRINUSE", port: metricsPort });
    other.close();
  });
});

describe("/readyz and /healthz", () => {
  it("say a word to anybody, on both listeners, and the reasons to operators alone", async () => {
    const server = await startServer();
    for (const url of [server.url, server.adminUrl]) {
      const ready = await fetch(`${url}/readyz`);
      expect(ready.status).to.equal(200);
      expect(await ready.json()).to.deep.equal({ status: "ready" });
      expect((await fetch(`${url}/healthz`)).status).to.equal(200);
    }
    const { body } = await server.admin("/ready");
    expect(body).to.deep.include({ ready: true });
    expect((await fetch(`${server.adminUrl}/admin/v1/ready`)).status).to.equal(401);
    await server.close();
  });

  it("differ while the server closes: it still lives, and is not ready", async () => {
    const server = await startServer();
    const kept = { headers: { connection: "keep-alive" } };
    expect((await fetch(`${server.url}/readyz`, kept)).status).to.equal(200);
    const closing = server.close();
    // On a connection that is open already: new ones are not taken any more.
    const status = await fetch(`${server.url}/readyz`, kept).then(
      ({ status }) => status,
      () => "refused",
    );
    expect(status).to.be.oneOf([503, "refused"]);
    await closing;
  });
});

async function isRefused(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}
