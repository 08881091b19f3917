import { type Config, loadConfig, parseText } from "../config/config.ts";
import { rowOf, SETTING_NAMES, type SettingName } from "../config/settings-table.ts";
import { UnreadableRecordError } from "../keys/records/errors.ts";
import { ListenError } from "../listener/index.ts";
import { createLogger, faultOf, type Logger } from "../observe/log.ts";
import type { Started } from "../server.ts";
import { StoreUnavailableError, StoreUrlError } from "../store/errors.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { FirstStartFile } from "./first-start-file.ts";

/** The flags of settings, as `--admin-host`. */
const FLAGS: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.filter((name) => rowOf(name).flag !== undefined).map((name) => [
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    name,
  ]),
);

const USAGE = `sluice start [options]: run the server

  --dev                  a page at / and, on the first start, a development key
  --config FILE          instead of sluice.config.{ts,js,mjs,json} in this folder
${[...FLAGS].map(([flag, name]) => usageOf(flag, name)).join("\n")}

Other settings come from the config file and the environment: docs/configuration.md lists them all.
`;

function usageOf(flag: string, name: SettingName): string {
  const { flag: value, help, defaultText } = rowOf(name);
  return `  ${`--${flag} ${value}`.padEnd(22)} ${help}\n${" ".repeat(25)}Default: ${defaultText.replaceAll("`", "")}`;
}

/** After this the process ends, whatever has not closed. */
const CLOSE_TIMEOUT_MS = 4_500;

/** Run until a signal. @returns the exit code. */
export async function startCommand(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: {
      dev: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      config: { type: "string" },
      ...Object.fromEntries([...FLAGS.keys()].map((flag) => [flag, { type: "string" } as const])),
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const dev = values.dev === true;
  const isTerminal = process.stdout.isTTY === true;
  const flags: Record<string, unknown> = {};
  for (const [flag, setting] of FLAGS) {
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
  let file: FirstStartFile | undefined;
  const server = createServer(config, {
    dev,
    log,
    announce: async (started) => {
      file = await announce(started, config, { dev, isTerminal, log });
    },
    onShown: async (inForce, isAll) => {
      const path = await file?.publish(isAll ? undefined : secretsOf(inForce));
      if (path !== undefined)
        log.info({ file: path }, "the first start made secrets: they are in this file, and nowhere else");
    },
  });
  // One request's forgotten promise must not end everybody's connections.
  process.stdout.on("error", () => {
    // A terminal or a reader that has gone ends no server: a signal does. What has to be seen waits for its own write.
  });
  process.on("unhandledRejection", (error) =>
    log.error({ fault: faultOf(error) }, "a promise failed unseen"),
  );
  const ending: Ending = { isClosed: false };
  // From the signal on, also while it starts.
  const stop = stopSignal().then(() => giveUpLater(ending, log));
  try {
    await server.start();
  } catch (error) {
    throw startFailure(error, config);
  }
  await stop;
  return stopServer(server, ending, log);
}

/** SIGHUP comes when the terminal is closed: clients are told then, as with the others, and what was counted is stored. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => resolve();
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
    // Shells and the system may each send one: a second must not end the process before it has closed.
    process.on("SIGHUP", onSignal);
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
  if (!(error instanceof ListenError)) return error;
  if (error.code !== "EADDRINUSE") return new CommandError(error.message);
  const other = {
    public: "start with --port and another",
    admin: "start with --admin-port and another",
    metrics: "set metricsPort to another",
  }[error.listener];
  return new CommandError(`${error.message}: stop what listens there, or ${other}`);
}

/** What the start made, in lines. */
function secretsOf({ url, firstStart: { madeAdminToken, madeDevelopmentKey } }: Started): readonly string[] {
  const secrets: string[] = [];
  if (madeAdminToken !== undefined) secrets.push(`Admin token      ${madeAdminToken}`);
  if (madeDevelopmentKey !== undefined) {
    secrets.push(`Development key  ${madeDevelopmentKey.secret}`);
    secrets.push(`Page             http://localhost:${new URL(url).port}/#${madeDevelopmentKey.secret}`);
  }
  return secrets;
}

/** Show what the start made, once: on a terminal as it is, else in a file that only the owner can read. @returns that file */
async function announce(
  started: Started,
  config: Config,
  { dev, isTerminal, log }: { dev: boolean; isTerminal: boolean; log: Logger },
): Promise<FirstStartFile | undefined> {
  const { url, adminUrl } = started;
  const { developmentKeyId } = started.firstStart;
  const origin = dev ? `http://localhost:${new URL(url).port}` : url;
  const secrets = secretsOf(started);
  if (!isTerminal) {
    log.info({ url, adminUrl, store: config.store, dev }, "sluice is running");
    if (secrets.length > 0) return FirstStartFile.write(config.store, secrets);
    if (dev) log.info({ store: config.store, developmentKeyId }, "the keys of an earlier start are kept");
    return undefined;
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
  await writeOut(`\n${lines.join("\n")}\n\nStop with Ctrl-C.\n`);
  return undefined;
}

/** Resolves once the terminal has taken it. */
function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(new CommandError(`what the start made cannot be shown (${error.message})`));
    });
  });
}
