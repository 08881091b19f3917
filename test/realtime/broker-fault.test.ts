import { expect } from "chai";
import { FaultyBroker } from "../helpers/faulty-broker.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("a broker that is away, over sockets", () => {
  let server: TestServer;
  const broker = new FaultyBroker();
  before(async () => {
    server = await startServer({ broker });
  });
  after(() => server.close());

  it("makes a publish and a broadcast unavailable, and both spend nothing of a limit", async () => {
    const limits = [{ name: "hourly", limit: 2, windowSeconds: 3600 }];
    const { secret } = await server.createKey({ allowRealtime: true, limits });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    try {
      const publish = (): Promise<Record<string, unknown>> =>
        client.request("message", { channel: "room", eventName: "say", message: 1 });
      const broadcast = (): Promise<Record<string, unknown>> =>
        client.request("message", { eventName: "all", message: 1 });
      broker.isAway = true;
      for (const ask of [publish, broadcast, publish, broadcast]) {
        const { ok, error } = await ask();
        expect(ok).to.equal(false);
        expect(toRecord(error)).to.include({ code: "unavailable" });
      }
      broker.isAway = false;
      expect(await publish()).to.include({ ok: true });
      expect(await broadcast()).to.include({ ok: true });
      expect(toRecord((await publish())["error"])).to.include({ code: "rate_limit_exceeded" });
    } finally {
      client.close();
    }
  });
});
