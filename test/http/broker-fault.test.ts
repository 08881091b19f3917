import { expect } from "chai";
import { FaultyBroker } from "../helpers/faulty-broker.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const SAY = { channel: "room", eventName: "say", message: 1 };

describe("a broker that is away, over HTTP", () => {
  let server: TestServer;
  let broker: FaultyBroker;
  beforeEach(async () => {
    broker = new FaultyBroker();
    server = await startServer({ broker });
  });
  afterEach(() => server.close());

  const keyOf = async (limit: number): Promise<string> => {
    const limits = [{ name: "hourly", limit, windowSeconds: 3600 }];
    // A broadcast to its own key alone would be refused where none of its connections hears it.
    return (await server.createKey({ allowRealtime: true, limits, broadcastTo: "everyone" })).secret;
  };
  const post = async (secret: string, path: string, body: object) => {
    const response = await fetch(`${server.url}/channels/${path}`, {
      method: "POST",
      headers: { "x-api-key": secret, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { status, headers } = response;
    return { status, left: headers.get("ratelimit"), body: toRecord(await response.json()) };
  };

  it("makes a publish and a broadcast unavailable, and both spend nothing of a limit", async () => {
    const secret = await keyOf(2);
    broker.isAway = true;
    for (const [path, body] of [
      ["publish", SAY],
      ["broadcast", { eventName: "all" }],
      ["publish/batch", { messages: [SAY, SAY] }],
    ] as const) {
      const answer = await post(secret, path, body);
      expect(answer.status, path).to.equal(503);
      expect(answer.body).to.include({ code: "unavailable" });
      expect(answer.left, path).to.equal('"hourly";r=2;t=3600');
    }
    broker.isAway = false;
    expect(await post(secret, "publish", SAY)).to.include({ status: 200 });
    expect(await post(secret, "broadcast", { eventName: "all" })).to.include({ status: 200 });
    expect(await post(secret, "publish", SAY)).to.include({ status: 429 });
  });

  it("says of each message of a batch whether it was taken, and tries none behind the one that failed", async () => {
    const secret = await keyOf(4);
    broker.goesAfter = 2;
    const { status, body, left } = await post(secret, "publish/batch", { messages: [SAY, SAY, SAY, SAY] });
    expect(status).to.equal(200);
    const results = Array.isArray(body["results"]) ? body["results"].map(toRecord) : [];
    expect(results.map(({ offset, error }) => offset ?? toRecord(error)["code"])).to.deep.equal([
      1,
      2,
      "unavailable",
      "unavailable",
    ]);
    expect(left).to.equal('"hourly";r=2;t=3600');
  });

  it("gives back what a conflict of ids was charged, and says so in the answer's headers", async () => {
    const secret = await keyOf(2);
    expect(await post(secret, "publish", { ...SAY, id: "a" })).to.include({ left: '"hourly";r=1;t=3600' });
    const conflict = await post(secret, "publish", { ...SAY, message: 2, id: "a" });
    expect(conflict.body).to.include({ code: "id_conflict" });
    expect(conflict.left).to.equal('"hourly";r=1;t=3600');
  });
});
