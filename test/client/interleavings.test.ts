import { expect } from "chai";
import fc from "fast-check";
import { createClient, type Realtime } from "../../client/index.ts";
import { Link } from "../helpers/link.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const CHANNEL = "room";
const STEPS = ["join", "join", "leave", "close", "open", "offline", "online", "publish", "settle"] as const;

/** Over WebSocket alone: the server learns of the end of a poller whose line is cut only when it leaves a ping unanswered. */
describe("a client that joins, leaves, closes, opens and loses its network in any order", () => {
  let server: TestServer;
  let key: { id: string; secret: string };

  beforeEach(async () => {
    server = await startServer();
    key = await server.createKey({ allowRealtime: true });
  });
  afterEach(() => server.close());

  const http = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${key.secret}`, "content-type": "application/json" };
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    return toRecord(await (await fetch(`${server.url}${path}`, init)).json());
  };
  const publish = async (): Promise<number> => {
    const { offset } = await http("/channels/publish", { channel: CHANNEL, eventName: "say", message: 1 });
    return Number(offset);
  };
  const memberCount = async (): Promise<number> =>
    Number((await http(`/channels/members?channel=${CHANNEL}`))["count"]);

  it("is where it was last told to be, and hears or is told of every message since its join", async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 12 }),
        async (steps) => {
          const link = await Link.open(server.port);
          const { realtime } = createClient(link.url, key.secret, { quiet: true, transports: ["websocket"] });
          const heard = hear(realtime);
          /** From which offset on everything is this client's to hear; undefined: it wants nothing. */
          let owedAfter: number | undefined;
          let isWanted = false;
          let lastOffset = await publish();
          const settled: Promise<unknown>[] = [];
          try {
            for (const step of steps) {
              if (step === "join") {
                if (realtime.state !== "closed") isWanted = true;
                settled.push(realtime.join(CHANNEL));
              } else if (step === "leave") {
                isWanted = false;
                owedAfter = undefined;
                settled.push(realtime.leave(CHANNEL));
              } else if (step === "close") realtime.close();
              else if (step === "open") settled.push(realtime.open());
              else if (step === "offline") link.down();
              else if (step === "online") link.up();
              else if (step === "publish") lastOffset = await publish();
              else if (step === "settle" && realtime.state === "connected") {
                await realtime.getMembers(CHANNEL);
                if (isWanted && realtime.state === "connected" && (await memberCount()) === 1)
                  owedAfter ??= lastOffset;
              }
            }
            link.up();
            void realtime.open();
            await until(() => realtime.state === "connected", "it connects again");
            expect(realtime.channels).to.deep.equal(isWanted ? [CHANNEL] : []);
            await until(
              async () => (await memberCount()) === (isWanted ? 1 : 0),
              `members: ${isWanted ? 1 : 0}, not ${JSON.stringify(await http("/channels/members?channel=room"))}`,
            );
            lastOffset = await publish();
            if (isWanted) await until(() => heard.has(lastOffset), `it hears ${lastOffset}`);
            else expect(heard.has(lastOffset)).to.equal(false);
            for (let offset = (owedAfter ?? lastOffset) + 1; offset <= lastOffset; offset += 1)
              expect(heard.has(offset), `${offset} of ${lastOffset} was heard or told`).to.equal(true);
            expect(heard.repeated, "messages that came twice").to.deep.equal([]);
          } finally {
            realtime.close();
            link.close();
            await Promise.all(settled);
            await until(async () => (await memberCount()) === 0, "nobody is left");
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("joins, leaves and joins without waiting, as a page in strict mode does, and misses nothing after a loss", async () => {
    const link = await Link.open(server.port);
    const { realtime } = createClient(link.url, key.secret, { quiet: true });
    try {
      const heard = hear(realtime);
      const results = [realtime.join(CHANNEL), realtime.leave(CHANNEL), realtime.join(CHANNEL)] as const;
      expect((await results[2]).error).to.equal(null);
      link.down();
      await until(() => realtime.state === "connecting", "the loss is noticed");
      const missed = await publish();
      link.up();
      await until(() => heard.has(missed), "what was missed comes");
    } finally {
      realtime.close();
      link.close();
    }
  });
});

/** What was heard, or told as a gap, by offset. */
function hear(realtime: Realtime): { has(offset: number): boolean; readonly repeated: number[] } {
  const offsets = new Set<number>();
  const repeated: number[] = [];
  const gaps: [after: number, before: number][] = [];
  realtime.on("say", (message) => {
    const offset = message.channel === null ? 0 : message.offset;
    if (offsets.has(offset)) repeated.push(offset);
    offsets.add(offset);
  });
  realtime.onGap(({ after, before }) => gaps.push([after, before]));
  const has = (offset: number): boolean =>
    offsets.has(offset) || gaps.some(([after, before]) => after < offset && offset < before);
  return { has, repeated };
}

/** Looks again after every turn of what is going on; there is no event for "the server has noticed". */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const untilMs = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > untilMs) throw new Error(`not within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
