import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { LogDestination } from "./log-destination.ts";

/** What the program writes for its operator. Secrets never go in: callers log ids, codes and counts. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error" | "fatal" | "child">;

export type LogLevel = "silent" | "fatal" | "error" | "warn" | "info" | "debug";

/** JSON lines on standard output, or on `destination`. Known carriers of secrets are cut out as a second line of defence. */
export function createLogger(level: LogLevel, destination: DestinationStream = new LogDestination()): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        "authorization",
        "apiKey",
        "secret",
        "*.authorization",
        '*["x-api-key"]',
        "*.apiKey",
        "*.secret",
      ],
      censor: "[cut]",
    },
  };
  return pino(options, destination);
}

/** An error as it may be logged: name, message and stack, without the properties that a library hung on it. */
export function faultOf(error: unknown): { name: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { name: "Fault", message: String(error) };
  const { name, message, stack } = error;
  return stack === undefined ? { name, message } : { name, message, stack };
}
