import { expect } from "chai";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("channels of a node", () => {
  let server: TestServer;
  let quiet: CreatedKey;
  let loud: CreatedKey;
  const clients: SocketClient[] = [];

  before(async () => {
    server = await startServer({
      config: { maxChannels: 60, maxMemberships: 300, maxPresenceDeliveriesPerSecond: 0 },
    });
    quiet = await server.createKey({ name: "quiet", allowRealtime: true });
    loud = await server.createKey({ name: "loud", allowRealtime: true });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => server.close());

  const connect = async ({ secret }: CreatedKey): Promise<SocketClient> => {
    const client = new SocketClient(server.url, { apiKey: secret });
    clients.push(client);
    return client.ready();
  };
  /** The codes of the refusals. */
  const joinAll = async (client: SocketClient, name: string, count: number): Promise<unknown[]> => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, n) => client.request("join", { channel: `${name} ${n}` })),
    );
    return answers.filter(({ ok }) => ok !== true).map(({ error }) => error);
  };

  it("are refused to the key that has its share, with a time, and not to another", async () => {
    const [flood, second, honest] = [await connect(loud), await connect(loud), await connect(quiet)];
    const refused = await joinAll(flood, "flood", 100);
    expect(refused).to.have.length(40);
    expect(refused[0]).to.include({ code: "too_many_channels" }).and.to.have.property("afterMs").above(0);
    expect(await joinAll(second, "more", 5)).to.have.length(5);
    expect(await joinAll(honest, "honest", 10)).to.deep.equal([]);
    // Who is in stays in, and a channel that has members takes more.
    expect(await joinAll(flood, "flood", 60)).to.deep.equal([]);
    expect(await joinAll(second, "flood", 60)).to.deep.equal([]);
    expect(await flood.request("leave", { channel: "flood 0" })).to.deep.equal({ ok: true });
    await second.request("leave", { channel: "flood 0" });
    // The ten of the other key stay out of its sixty.
    expect(await joinAll(second, "later", 1)).to.have.length(1);
    for (let n = 1; n <= 10; n += 1) {
      await flood.request("leave", { channel: `flood ${n}` });
      await second.request("leave", { channel: `flood ${n}` });
    }
    expect(await joinAll(second, "later", 1)).to.deep.equal([]);
  });

  it("take memberships up to a bound in all, of whoever has its share", async () => {
    const [flood, honest] = [[await connect(loud)], await connect(quiet)];
    while (flood.length < 8) flood.push(await connect(loud));
    const refused: unknown[] = [];
    for (const client of flood) refused.push(...(await joinAll(client, "room", 50)));
    expect(refused).to.have.length(100);
    expect(await joinAll(honest, "room", 50)).to.deep.equal([]);
  });
});
