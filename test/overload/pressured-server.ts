import { resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer } from "../../src/server.ts";

/**
 * A server in a process of its own, whose clients may leave as much unread as they like: nothing but the guard stands between them
 * and the end of its heap. Says where it listens in one line of JSON.
 */
const server = createServer(
  resolveConfig({
    port: 0,
    adminPort: 0,
    host: "127.0.0.1",
    store: "memory:",
    adminToken: process.env["SLUICE_ADMIN_TOKEN"],
    maxOutboundBytes: 1024 ** 3,
    maxUnreadMs: 600_000,
    maxUnsentBytes: 1024 ** 4,
    channels: [{ pattern: "**", history: { size: 0, seconds: 0 } }],
  }),
  { log: createLogger("silent") },
);
const { url, adminUrl } = await server.start();
process.stdout.write(`${JSON.stringify({ url, adminUrl })}\n`);
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
