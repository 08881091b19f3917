import { request } from "node:http";
import { inGroups, openTcp, pause, RawSession, type Target } from "../raw-client.ts";
import type { Attack, AttackContext } from "./attack.ts";

/** Who has a key of a page, and sends more than anybody can take. */
export const REQUEST_ATTACKS: readonly [string, Attack][] = [
  [
    "waiting-requests",
    {
      title: "requests that wait behind a join whose replay nobody reads",
      async run({ scale, isOver, ...target }) {
        const filler = await connected(target, target.secret);
        if (filler === undefined) return "not let in";
        const joined = await filler.request("join", { channel: "waiting" });
        const { epoch } = JSON.parse(joined ?? "{}");
        for (let i = 0; i < 200; i += 1)
          await filler.request("message", {
            channel: "waiting",
            eventName: "fill",
            message: "x".repeat(10_000),
          });
        const packet = `42${JSON.stringify(["message", { channel: "waiting", eventName: "e", message: Array.from({ length: 1_000 }, () => ({})) }])}`;
        let bytes = 0;
        const sessions = new Set<RawSession>();
        while (!isOver()) {
          await inGroups(Math.ceil(39 * scale), 20, async () => {
            const session = await connected(target, target.secret);
            if (session === undefined) return;
            sessions.add(session);
            session.stall();
            session.emit("join", { channel: "waiting", since: { epoch, offset: 0 } });
            for (let i = 0; i < 2_000 && !isOver() && !session.isOver; i += 1) {
              session.send(packet);
              bytes += packet.length;
              if (session.webSocket.bufferedAmount > 1e6) break;
            }
          });
          await pause(50);
        }
        return `${sessions.size} connections, ${(bytes / 1e6).toFixed(0)} MB`;
      },
    },
  ],
  [
    "packets-in-a-post",
    {
      title: "115,000 packets in one POST, again and again",
      async run(context) {
        const packet = '42["members",{}]';
        const count = Math.floor((1024 * 1024 - 100) / (packet.length + 1));
        const body = Array.from({ length: count }, () => packet).join("\x1e");
        const tiny = Array.from({ length: 115_000 }, () => '42[""]').join("\x1e");
        let posts = 0;
        await Promise.all(
          [body, tiny, body, tiny].map(async (text) => {
            while (!context.isOver()) {
              const sid = await openPolling(context);
              if (sid === undefined) await pause(100);
              else if (await post(context, sid, text)) posts += 1;
            }
          }),
        );
        return `${posts} POSTs`;
      },
    },
  ],
  [
    "request-flood",
    {
      title: "requests of one key as fast as 50 connections can send them",
      async run({ scale, isOver, ...target }) {
        const sessions: RawSession[] = [];
        await inGroups(Math.ceil(50 * scale), 10, async () => {
          const session = await connected(target, target.secret);
          if (session !== undefined) sessions.push(session);
        });
        for (const session of sessions) await session.request("join", { channel: "flood" });
        const packets = [
          '42["message",{"channel":"flood","eventName":"e","message":1}]',
          '42["members",{"channel":"flood"}]',
          '42["history",{"channel":"flood"}]',
          '42["nothing",{}]',
          `42["message",{"channel":"flood","eventName":"e","message":${"[".repeat(2_000)}${"]".repeat(2_000)}}]`,
        ];
        let sent = 0;
        while (!isOver()) {
          for (const session of sessions) {
            for (let i = 0; i < 40 && session.webSocket.bufferedAmount < 1e6; i += 1) {
              session.send(packets[sent % packets.length] ?? "");
              sent += 1;
            }
          }
          await pause(1);
        }
        return `${sent} requests`;
      },
    },
  ],
  [
    "large-messages",
    {
      title: "messages of 1 MB in a burst, to readers who keep up",
      async run({ isOver, ...target }) {
        const readers: RawSession[] = [];
        await inGroups(40, 10, async () => {
          const session = await connected(target, target.secret);
          if (session === undefined) return;
          await session.request("join", { channel: "burst" });
          readers.push(session);
        });
        const publisher = await connected(target, target.secret);
        const message = "x".repeat(1_000_000);
        let bursts = 0;
        while (!isOver() && publisher !== undefined) {
          const acks = Array.from({ length: 20 }, () =>
            publisher.request("message", { channel: "burst", eventName: "e", message }),
          );
          await Promise.all(acks);
          bursts += 1;
          await pause(1_000);
        }
        const closed = readers.filter((reader) => reader.isOver);
        if (closed.length > 0)
          throw new Error(`${closed.length} of ${readers.length} readers were closed: ${closed[0]?.closing}`);
        return `${bursts} bursts to ${readers.length} readers`;
      },
    },
  ],
  [
    "unread-history",
    {
      title: "histories with binary over HTTP that nobody reads",
      async run({ scale, isOver, ...target }) {
        const session = await connected(target, target.secret);
        if (session === undefined) return "not let in";
        await session.request("join", { channel: "unread" });
        for (let i = 0; i < 200; i += 1) {
          session.send(
            `451-["message",{"channel":"unread","eventName":"e","message":{"_placeholder":true,"num":0}}]`,
          );
          session.send(Buffer.alloc(5_000, 1));
        }
        const get = `GET /channels/history?channel=unread&limit=1000&apikey=${target.secret} HTTP/1.1\r\nHost: x\r\n\r\n`;
        let opened = 0;
        while (!isOver()) {
          await inGroups(Math.ceil(50 * scale), 50, async () => {
            const socket = await openTcp(target);
            socket.pause();
            socket.write(get.repeat(20));
            opened += 1;
          });
          await pause(200);
        }
        return `${opened} connections`;
      },
    },
  ],
];

/** A session that the key has let in. */
export async function connected(target: Target, secret: string): Promise<RawSession | undefined> {
  const session = new RawSession(target);
  return (await session.connect(secret)) ? session : undefined;
}

async function openPolling(context: AttackContext): Promise<string | undefined> {
  const opened = await exchange(context, "GET", "");
  const sid = /"sid":"([^"]+)"/.exec(opened)?.[1];
  if (sid === undefined) return undefined;
  await exchange(context, "POST", `&sid=${sid}`, `40${JSON.stringify({ apiKey: context.secret })}`);
  return sid;
}

async function post(context: AttackContext, sid: string, body: string): Promise<boolean> {
  return (await exchange(context, "POST", `&sid=${sid}`, body)) === "ok";
}

function exchange(
  { port, localAddress }: Target,
  method: string,
  query: string,
  body?: string,
): Promise<string> {
  return new Promise((resolve) => {
    const path = `/realtime/?EIO=4&transport=polling${query}`;
    const sent = request({ host: "127.0.0.1", port, localAddress, method, path }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("error", () => resolve(""));
      response.on("end", () => resolve(text));
    });
    sent.on("error", () => resolve(""));
    sent.end(body);
  });
}
