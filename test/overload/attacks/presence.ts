import { inGroups, pause, type RawSession } from "../raw-client.ts";
import type { Attack } from "./attack.ts";
import { connected } from "./requests.ts";

/** Who makes others hear of it: updates, joins and leaves. */
export const PRESENCE_ATTACKS: readonly [string, Attack][] = [
  [
    "update-storm",
    {
      title: "updates of connections in 1,000 channels",
      async run({ scale, isOver, ...target }) {
        const sessions = await inChannels(target, Math.ceil(4 * scale), (i) => `update:${i}`, 1_000, isOver);
        let sent = 0;
        while (!isOver()) {
          for (const session of sessions) {
            if (session.webSocket.bufferedAmount > 1e6) continue;
            session.emit("update", { data: { sent } });
            sent += 1;
          }
          await pause(2);
        }
        return `${sent} updates`;
      },
    },
  ],
  [
    "join-leave-storm",
    {
      title: "joins and leaves of a channel that 400 watch",
      async run({ scale, isOver, ...target }) {
        const sessions = await inChannels(target, Math.ceil(400 * scale), () => "crowd", 1, isOver);
        let sent = 0;
        while (!isOver()) {
          for (const session of sessions) {
            if (session.webSocket.bufferedAmount > 1e6) continue;
            session.emit("leave", { channel: "crowd" });
            session.emit("join", { channel: "crowd" });
            sent += 2;
          }
          await pause(5);
        }
        return `${sent} joins and leaves`;
      },
    },
  ],
  [
    "connect-storm",
    {
      title: "connections that come, join what 400 watch, and go",
      async run({ scale, isOver, ...target }) {
        await inChannels(target, Math.ceil(400 * scale), () => "crowd", 1, isOver);
        let came = 0;
        while (!isOver()) {
          await inGroups(30, 30, async () => {
            const session = await Promise.race([connected(target, target.secret), pause(3_000)]);
            if (session === undefined) return;
            await Promise.race([session.request("join", { channel: "crowd" }), pause(1_000)]);
            session.close();
            came += 1;
          });
        }
        return `${came} connections`;
      },
    },
  ],
];

async function inChannels(
  target: { port: number; localAddress: string; secret: string },
  count: number,
  nameOf: (index: number) => string,
  each: number,
  isOver: () => boolean,
): Promise<RawSession[]> {
  const sessions: RawSession[] = [];
  await inGroups(count, 20, async () => {
    const session = await connected(target, target.secret);
    if (session === undefined) return;
    sessions.push(session);
    for (let i = 0; i < each && !isOver(); i += 1) {
      session.emit("join", { channel: nameOf(i) });
      if (i % 50 === 49) await pause(5);
    }
  });
  return sessions;
}
