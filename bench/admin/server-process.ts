import { resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer } from "../../src/server.ts";

const [store = "memory:", adminToken = ""] = process.argv.slice(2);
const config = resolveConfig({
  host: "127.0.0.1",
  port: 0,
  adminPort: 0,
  store,
  adminToken,
  endpoints: [{ id: "ping", method: "GET", path: "/ping", handler: () => ({ ok: true }) }],
});
const server = createServer(config, { dev: false, log: createLogger("silent") });
const { url, adminUrl } = await server.start();
process.stdout.write(`${JSON.stringify({ url, adminUrl })}\n`);
process.once("SIGTERM", () => void server.close());
