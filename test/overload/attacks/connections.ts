import { inGroups, openTcp, pause, RawSession } from "../raw-client.ts";
import type { Attack } from "./attack.ts";

/** Who needs no key: TCP connections, requests that nobody reads, CONNECT packets. */
export const CONNECTION_ATTACKS: readonly [string, Attack][] = [
  [
    "silent-tcp",
    {
      title: "silent TCP connections beyond the limit of open files",
      async run({ port, localAddress, scale, isOver }) {
        let opened = 0;
        while (!isOver()) {
          await inGroups(Math.ceil(2_000 * scale), 200, async () => {
            if (isOver()) return;
            await openTcp({ port, localAddress });
            opened += 1;
          });
          await pause(50);
        }
        return `${opened} connections`;
      },
    },
  ],
  [
    "silent-tcp-many-addresses",
    {
      title: "silent TCP connections from 250 addresses",
      async run({ port, scale, isOver }) {
        let opened = 0;
        while (!isOver()) {
          await inGroups(Math.ceil(2_000 * scale), 200, async (index) => {
            if (isOver()) return;
            await openTcp({ port, localAddress: `127.0.1.${1 + (index % 250)}` });
            opened += 1;
          });
          await pause(50);
        }
        return `${opened} connections`;
      },
    },
  ],
  [
    "slow-headers",
    {
      title: "requests whose head never ends",
      async run({ port, localAddress, scale, isOver }) {
        const sockets = new Set<Awaited<ReturnType<typeof openTcp>>>();
        await inGroups(Math.ceil(2_000 * scale), 200, async () => {
          const socket = await openTcp({ port, localAddress });
          socket.write("GET /api/ping HTTP/1.1\r\nHost: x\r\n");
          sockets.add(socket);
        });
        while (!isOver()) {
          for (const socket of sockets) if (!socket.destroyed) socket.write("X-A: b\r\n");
          await pause(200);
        }
        return `${sockets.size} connections`;
      },
    },
  ],
  [
    "unread-files",
    {
      title: "pipelined files that nobody reads",
      async run({ port, localAddress, scale, isOver }) {
        const pipeline = "GET /sdk/sluice.global.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
        let opened = 0;
        while (!isOver()) {
          await inGroups(Math.ceil(100 * scale), 50, async () => {
            const socket = await openTcp({ port, localAddress });
            socket.pause();
            socket.write(pipeline);
            opened += 1;
          });
          await pause(500);
        }
        return `${opened} connections`;
      },
    },
  ],
  [
    "large-connects",
    {
      title: "CONNECT packets of 1 MiB",
      async run({ port, localAddress, isOver }) {
        const packet = `40${JSON.stringify({ apiKey: "x", a: Array.from({ length: 100_000 }, (_, i) => [i]) })}`;
        let sent = 0;
        while (!isOver()) {
          await inGroups(8, 8, async () => {
            const session = new RawSession({ port, localAddress });
            session.webSocket.on("open", () => session.send(packet));
            sent += 1;
            await Promise.race([session.connect(undefined), pause(1_000)]);
            session.close();
          });
        }
        return `${sent} packets`;
      },
    },
  ],
  [
    "handshake-churn",
    {
      title: "handshakes with keys of nobody, as fast as they go",
      async run({ port, localAddress, isOver }) {
        let tried = 0;
        while (!isOver()) {
          await inGroups(64, 64, async () => {
            const session = new RawSession({ port, localAddress });
            tried += 1;
            await Promise.race([session.connect(`slc_${"0".repeat(38)}`), pause(2_000)]);
            session.close();
          });
        }
        return `${tried} handshakes`;
      },
    },
  ],
];
