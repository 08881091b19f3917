import { inGroups, pause, type RawSession } from "../raw-client.ts";
import type { Attack } from "./attack.ts";
import { connected } from "./requests.ts";

const LONG = "c".repeat(150);

/** Who makes the node keep things: channels, histories, ids. */
export const CHANNEL_ATTACKS: readonly [string, Attack][] = [
  [
    "many-channels",
    {
      title: "100 connections in 1,000 channels each",
      // Which channels its 100 clients were in.
      keepsMb: 64,
      async run({ scale, isOver, ...target }) {
        let joined = 0;
        const sessions: RawSession[] = [];
        await inGroups(Math.ceil(100 * scale), 10, async (index) => {
          const session = await connected(target, target.secret);
          if (session === undefined) return;
          sessions.push(session);
          for (let i = 0; i < 1_000 && !isOver(); i += 1) {
            session.emit("join", { channel: `${LONG}:${index}:${i}` });
            joined += 1;
            if (i % 50 === 0) await pause(5);
          }
        });
        while (!isOver()) await pause(100);
        return `${joined} joins`;
      },
    },
  ],
  [
    "tiny-binaries",
    {
      title: "histories full of binary of one byte",
      async run({ scale, isOver, ...target }) {
        let sent = 0;
        await inGroups(Math.ceil(10 * scale), 10, async (index) => {
          const session = await connected(target, target.secret);
          if (session === undefined) return;
          for (let i = 0; !isOver() && !session.isOver; i += 1) {
            const channel = `tiny:${index}:${Math.floor(i / 1_000)}`;
            session.send(
              `451-["message",{"channel":"${channel}","eventName":"e","message":{"_placeholder":true,"num":0}}]`,
            );
            session.send(Buffer.alloc(1, 1));
            sent += 1;
            if (i % 100 === 0) {
              // Most of a chunk of 64 KiB is something else.
              session.send(`42["nothing","${"x".repeat(60_000)}"]`);
              await session.drained();
              await pause(1);
            }
          }
        });
        return `${sent} messages`;
      },
    },
  ],
  [
    "fill-history",
    {
      title: "one key fills all histories, epochs and ids there is room for",
      async run({ scale, isOver, ...target }) {
        let sent = 0;
        const message = "x".repeat(5_000);
        await inGroups(Math.ceil(8 * scale), 8, async (index) => {
          const session = await connected(target, target.secret);
          if (session === undefined) return;
          for (let i = 0; !isOver() && !session.isOver; i += 1) {
            session.emit("message", {
              channel: `fill:${index}:${i}`,
              eventName: "e",
              message: i % 10 === 0 ? message : 1,
              id: `${index}:${i}`,
            });
            sent += 1;
            if (i % 50 === 0) {
              await session.drained();
              await pause(1);
            }
          }
        });
        return `${sent} messages`;
      },
    },
  ],
  [
    "channel-lists",
    {
      title: "lists of 30,000 channels",
      async run({ scale, isOver, ...target }) {
        const sessions: RawSession[] = [];
        await inGroups(30, 10, async (index) => {
          const session = await connected(target, target.secret);
          if (session === undefined) return;
          sessions.push(session);
          for (let i = 0; i < 1_000 * scale && !isOver(); i += 1) {
            session.emit("join", { channel: `list:${index}:${i}` });
            if (i % 50 === 0) await pause(5);
          }
        });
        let lists = 0;
        const list = async (): Promise<void> => {
          while (!isOver()) {
            const url = `http://127.0.0.1:${target.port}/channels?prefix=lis&apikey=${target.secret}`;
            await fetch(url)
              .then((response) => response.arrayBuffer())
              .catch(() => undefined);
            lists += 1;
          }
        };
        await Promise.all([list(), list(), list(), list()]);
        return `${lists} lists`;
      },
    },
  ],
];
