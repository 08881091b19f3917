import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig, parseText } from "../config.ts";
import { StoreUnavailableError, StoreUrlError, UnreadableRecordError } from "../keys/errors.ts";
import { createLogger, faultOf, type Logger } from "../observe/log.ts";
import type { Started } from "../server.ts";
import { CommandError, readArguments } from "./command-error.ts";

const USAGE = `sluice start [options]: run the server

  --dev                  a page at / and, on the first start, a development key
  --config FILE          instead of sluice.config.{ts,js,mjs,json} in this folder
  --host H --port N      the public listener (127.0.0.1:8080)
  --admin-host H --admin-port N
                         the admin listener (127.0.0.1:8081)
  --store URL            lmdb:<folder> or memory: (lmdb:./data)
  --log-level L          silent, fatal, error, warn, info, debug
`;

/** After this the process ends, whatever has not closed. */
const CLOSE_TIMEOUT_MS = 4_500;

const FLAGS = {
  host: "host",
  port: "port",
  "admin-host": "adminHost",
  "admin-port": "adminPort",
  store: "store",
  "log-level": "logLevel",
} as const satisfies Record<string, keyof Config>;

/** Run until a signal. @returns the exit code. */
export async function startCommand(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: {
      dev: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      config: { type: "string" },
      host: { type: "string" },
      port: { type: "string" },
      "admin-host": { type: "string" },
      "admin-port": { type: "string" },
      store: { type: "string" },
      "log-level": { type: "string" },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const dev = values.dev === true;
  const isTerminal = process.stdout.isTTY === true;
  const flags: Record<string, unknown> = {};
  for (const [flag, setting] of Object.entries(FLAGS)) {
    const text = Object.entries(values).find(([name]) => name === flag)?.[1];
    if (typeof text === "string") flags[setting] = parseText(setting, text, `--${flag}`);
  }
  const config = await loadConfig({
    folder: process.cwd(),
    file: values.config,
    environment: process.env,
    flags,
  });
  // On a terminal the few lines of the start are for a person: JSON between them only when something is wrong.
  const log = createLogger(dev && isTerminal && config.logLevel === "info" ? "warn" : config.logLevel);
  // Loaded once the configuration is known to be good: a mistake in it is said at once.
  const { createServer } = await import("../server.ts");
  const server = createServer(config, { dev, log });
  // One request's forgotten promise must not end everybody's connections.
  process.on("unhandledRejection", (error) =>
    log.error({ fault: faultOf(error) }, "a promise failed unseen"),
  );
  const ending: Ending = { isClosed: false };
  // From the signal on, also while it starts.
  const stop = stopSignal().then(() => giveUpLater(ending, log));
  let started: Started;
  try {
    started = await server.start();
  } catch (error) {
    throw startFailure(error, config);
  }
  await announce(started, config, { dev, isTerminal, log });
  await stop;
  return stopServer(server, ending, log);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => resolve();
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
  });
}

type Ending = { isClosed: boolean };

/** The process ends then, whatever it has begun: an application's configuration may hold it too. The timer holds nothing. */
function giveUpLater(ending: Ending, log: Logger): void {
  setTimeout(() => {
    if (ending.isClosed) {
      const held = process.getActiveResourcesInfo();
      log.warn({ held }, "the server has closed, and something else keeps the process: it ends now");
      process.exit(0);
    }
    log.error("closing took too long: the process ends now");
    process.exit(1);
  }, CLOSE_TIMEOUT_MS).unref();
}

async function stopServer(server: { close(): Promise<void> }, ending: Ending, log: Logger): Promise<number> {
  try {
    await server.close();
    ending.isClosed = true;
    return 0;
  } catch (error) {
    log.error({ fault: faultOf(error) }, "closing failed");
    return 1;
  }
}

/** What a person can mend is said in a sentence; the rest is a fault with its stack. */
function startFailure(error: unknown, config: Config): unknown {
  if (error instanceof StoreUrlError || error instanceof UnreadableRecordError)
    return new CommandError(error.message);
  if (error instanceof StoreUnavailableError) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return new CommandError(`the store ${config.store} cannot be opened: ${error.message}${cause}`);
  }
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "ENOTFOUND" || error.code === "EADDRNOTAVAIL" || error.code === "EACCES") {
    return new CommandError(`cannot listen there: ${error.message}`);
  }
  if (error.code !== "EADDRINUSE") return error;
  if ("port" in error && error.port === config.metricsPort && config.metricsPort !== config.port)
    return new CommandError(
      `port ${config.metricsPort} is taken: stop what listens there, or set metricsPort to another`,
    );
  const isAdmin = "port" in error && error.port === config.adminPort && config.adminPort !== config.port;
  const port = isAdmin ? config.adminPort : config.port;
  return new CommandError(
    `port ${port} is taken: stop what listens there, or start with ${isAdmin ? "--admin-port" : "--port"} and another`,
  );
}

/** Show what the start made, once: on a terminal as it is, else in a file that only the owner can read. */
async function announce(
  { url, adminUrl, firstStart }: Started,
  config: Config,
  { dev, isTerminal, log }: { dev: boolean; isTerminal: boolean; log: Logger },
): Promise<void> {
  const { madeAdminToken, madeDevelopmentKey, developmentKeyId } = firstStart;
  const origin = dev ? `http://localhost:${new URL(url).port}` : url;
  const secrets: string[] = [];
  if (madeAdminToken !== undefined) secrets.push(`Admin token      ${madeAdminToken}`);
  if (madeDevelopmentKey !== undefined) {
    secrets.push(`Development key  ${madeDevelopmentKey.secret}`);
    secrets.push(`Page             ${origin}/#${madeDevelopmentKey.secret}`);
  }
  if (!isTerminal) {
    log.info({ url, adminUrl, store: config.store, dev }, "sluice is running");
    if (secrets.length > 0) {
      const file = await writeSecrets(config.store, secrets);
      log.info({ file }, "the first start made secrets: they are in this file, and nowhere else");
    } else if (dev) {
      log.info({ store: config.store, developmentKeyId }, "the keys of an earlier start are kept");
    }
    return;
  }
  const lines = [
    `Sluice is running.`,
    `  Public           ${origin}`,
    `  Admin            ${adminUrl}`,
    `  Console          ${adminUrl}/console`,
  ];
  if (secrets.length > 0) {
    lines.push("", "Made just now and shown once:", ...secrets.map((line) => `  ${line}`));
    lines.push("", `Keys are kept in ${config.store}.`);
  } else if (dev) {
    lines.push(
      "",
      `Keys of an earlier start are kept in ${config.store}${developmentKeyId === undefined ? "" : ` (development key: ${developmentKeyId})`}.`,
    );
    lines.push(
      "Another one: npx sluice keys create --name page --realtime --domain localhost --token <admin token>",
    );
  }
  process.stdout.write(`\n${lines.join("\n")}\n\nStop with Ctrl-C.\n`);
}

/** @returns the file's path. Only its owner can read it. */
async function writeSecrets(store: string, secrets: readonly string[]): Promise<string> {
  const folder = store.startsWith("lmdb:")
    ? store.slice("lmdb:".length)
    : await mkdtemp(join(tmpdir(), "sluice-"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "first-start.txt");
  await rm(file, { force: true });
  await writeFile(file, `${secrets.join("\n")}\n`, { mode: 0o600, flag: "wx" });
  return file;
}
