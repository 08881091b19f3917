import { expect } from "chai";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";

type Answer = { status: number; body: Record<string, unknown> };

describe("what one key was promised", () => {
  let server: TestServer;
  let quiet: CreatedKey;
  let loud: CreatedKey;
  before(async () => {
    const config = { maxHistoryBytes: 4 * 1024 * 1024, maxIdleChannels: 500, maxMessageIds: 500 };
    server = await startServer({ config });
    quiet = await server.createKey({ name: "quiet", allowRealtime: true });
    loud = await server.createKey({ name: "loud", allowRealtime: true });
  });
  after(() => server.close());

  const call = async ({ secret }: CreatedKey, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${server.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: Record<string, unknown> = Object(await response.json());
    return { status: response.status, body: answer };
  };
  const publish = async (key: CreatedKey, channel: string, message: unknown, id?: string) => {
    const answer = await call(key, "/channels/publish", { channel, eventName: "say", message, id });
    expect(answer.status).to.equal(200);
    return answer.body;
  };
  const flood = async (messages: readonly Record<string, unknown>[]): Promise<void> => {
    for (let from = 0; from < messages.length; from += 500) {
      const part = messages.slice(from, from + 500).map((message) => ({ eventName: "say", ...message }));
      const { status } = await call(loud, "/channels/publish/batch", { messages: part });
      expect(status).to.equal(200);
    }
  };

  it("outlasts another key's flood: its history, also in a channel of both, its epochs and its ids", async () => {
    const kept = await publish(quiet, "news", "kept", "id 1");
    const shared = await publish(quiet, "shared", "said first");
    const { body: unused } = await call(quiet, "/channels/history?channel=unused");
    await publish(quiet, "position only", "x");

    const large = "x".repeat(1_000);
    await flood(Array.from({ length: 900 }, (_, n) => ({ channel: "shared", message: [n, large] })));
    await flood(
      Array.from({ length: 3_000 }, (_, n) => ({ channel: `flood ${n}`, message: large, id: `flood ${n}` })),
    );

    const { body: news } = await call(quiet, "/channels/history?channel=news");
    expect(news).to.include({ epoch: kept["epoch"], offset: 1, complete: true });
    expect(news["messages"]).to.have.nested.property("[0].message", "kept");
    const { body: both } = await call(quiet, "/channels/history?channel=shared");
    expect(both).to.include({ epoch: shared["epoch"], offset: 901, complete: false });
    expect(both["messages"]).to.have.nested.property("[0].message", "said first");
    expect(await publish(quiet, "news", "kept", "id 1")).to.deep.equal(kept);
    expect((await publish(quiet, "unused", 1))["epoch"]).to.equal(unused["epoch"]);
    expect(await publish(quiet, "position only", "y")).to.include({ offset: 2 });
    // The one that floods pays for it.
    expect(await publish(loud, "flood 0", large, "flood 0")).to.include({ offset: 1 });
    const { body: first } = await call(loud, "/channels/history?channel=flood+1");
    expect(first).to.include({ offset: 0 });
  });
});
