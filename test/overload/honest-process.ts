import { Agent, request } from "node:http";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answerCalls, nowMs, percentile } from "../../bench/crowd/child.ts";
import { toRecord } from "../helpers/record.ts";
import { pause, RawSession } from "./raw-client.ts";

/**
 * An honest client, on a key and an address of its own: members of one channel, one of which publishes on schedule, and a
 * program that calls an endpoint. It keeps how late each message came, and what never came.
 */
const Open = Compile(
  Type.Object({ port: Type.Number(), secret: Type.String(), members: Type.Number(), everyMs: Type.Number() }),
);
const ADDRESS = "127.0.0.9";
const CHANNEL = "honest:room";
/** The default size of a channel's history. */
const RETAINED = 1_000;

let port = 0;
let secret = "";
let members: Member[] = [];
let timers: NodeJS.Timeout[] = [];
let latencies: number[] = [];
let callLatencies: number[] = [];
let failures: string[] = [];
let published = 0;
let acknowledged = 0;
let open = 0;
let lastOffset = 0;
let epoch = "";
const agent = new Agent({ keepAlive: true, localAddress: ADDRESS });

class Member {
  readonly session: RawSession;
  offset = 0;

  constructor(session: RawSession) {
    this.session = session;
    session.webSocket.on("message", (data) => this.#hear(String(data)));
    session.webSocket.on("close", () =>
      failures.push(`a member was closed after ${this.#last.slice(0, 300)}`),
    );
  }

  #last = "";

  #hear(packet: string): void {
    if (packet.length > 2) this.#last = packet;
    if (packet.startsWith('42["tick"')) {
      const { message, offset } = toRecord(JSON.parse(packet.slice(2))[1]);
      latencies.push(nowMs() - Number(toRecord(message)["sentMs"]));
      if (this.offset !== 0 && Number(offset) !== this.offset + 1)
        failures.push(`offset ${offset} came after ${this.offset}`);
      this.offset = Number(offset);
    } else if (packet.startsWith('42["c') && !packet.startsWith('42["connection:ready"')) {
      // A gap, an end of a membership or of the connection, a refusal.
      if (!/^42\["channel:(join|leave|update|presence)"/.test(packet)) failures.push(packet.slice(0, 300));
    }
  }
}

answerCalls({
  async open(argument) {
    const options = Open.Parse(argument);
    ({ port, secret } = options);
    for (let i = 0; i < options.members; i += 1) {
      const session = new RawSession({ port, localAddress: ADDRESS });
      if (!(await session.connect(secret))) throw new Error("an honest client was not let in");
      const member = new Member(session);
      const ack = await session.request("join", { channel: CHANNEL });
      if (ack?.includes('"ok":true') !== true) throw new Error(`an honest join was refused: ${ack}`);
      members.push(member);
    }
    const [publisher] = members;
    if (publisher === undefined) throw new Error("nobody publishes");
    // What is kept for this key from the beginning, to be found again at the end.
    const first = await publisher.session.request("message", {
      channel: CHANNEL,
      eventName: "tick",
      message: { sentMs: nowMs() },
      id: "the first",
    });
    timers.push(setInterval(() => void publish(publisher), options.everyMs));
    timers.push(setInterval(() => void callEndpoint(), 50));
    epoch = String(toRecord(JSON.parse(first ?? "{}"))["epoch"]);
  },
  reset() {
    latencies = [];
    callLatencies = [];
    failures = [];
  },
  report() {
    return {
      count: latencies.length,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      max: Math.max(0, ...latencies.slice(-100_000)),
      calls: callLatencies.length,
      callP50: percentile(callLatencies, 0.5),
      callP99: percentile(callLatencies, 0.99),
      failures: failures.slice(0, 10),
      failureCount: failures.length,
    };
  },
  /** Stops publishing, waits for what is under way, and looks at what is kept of it. */
  async finish() {
    for (const timer of timers) clearInterval(timer);
    timers = [];
    const [publisher] = members;
    if (publisher === undefined) throw new Error("nobody publishes");
    while (open > 0) await pause(10);
    const repeated = await publisher.session.request("message", {
      channel: CHANNEL,
      eventName: "tick",
      message: { sentMs: 0 },
      id: "the first",
    });
    const after = { epoch, offset: Math.max(0, lastOffset - RETAINED) };
    const page = await publisher.session.request("history", { channel: CHANNEL, limit: 10, after });
    const { messages } = toRecord(JSON.parse(page ?? "{}"));
    const oldest = Array.isArray(messages) ? toRecord(messages[0])["offset"] : undefined;
    const untilMs = nowMs() + 5_000;
    while (members.some(({ offset }) => offset !== lastOffset) && nowMs() < untilMs) await pause(10);
    const deaf = members.filter(({ offset }) => offset !== lastOffset).map(({ offset }) => offset);
    const stays = members.filter(({ session }) => !session.isOver).length;
    return {
      published,
      acknowledged,
      lastOffset,
      deaf,
      stays,
      members: members.length,
      repeated,
      missingFromHistory: Number(oldest ?? Number.NaN) - after.offset - 1,
    };
  },
  close() {
    agent.destroy();
    for (const { session } of members) {
      session.webSocket.removeAllListeners("close");
      session.close();
    }
    members = [];
  },
});

async function publish({ session }: Member): Promise<void> {
  published += 1;
  open += 1;
  const answer = await session.request("message", {
    channel: CHANNEL,
    eventName: "tick",
    message: { sentMs: nowMs() },
  });
  open -= 1;
  const { ok, offset } = toRecord(JSON.parse(answer ?? "{}"));
  if (ok === true) {
    acknowledged += 1;
    lastOffset = Math.max(lastOffset, Number(offset));
  } else failures.push(`a publish was answered ${answer}`);
}

function callEndpoint(): Promise<void> {
  return new Promise((resolve) => {
    const sentMs = nowMs();
    const headers = { authorization: `Bearer ${secret}` };
    const sent = request({ host: "127.0.0.1", port, path: "/api/ping", agent, headers }, (response) => {
      response.on("error", () => {});
      response.on("end", () => {
        callLatencies.push(nowMs() - sentMs);
        if (response.statusCode !== 200) failures.push(`an endpoint answered ${response.statusCode}`);
        resolve();
      });
      response.resume();
    });
    sent.on("error", (error) => {
      failures.push(`a call failed: ${error.message}`);
      resolve();
    });
    sent.end();
  });
}
