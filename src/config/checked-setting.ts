import { PolicyError } from "../policy/index.ts";
import { ConfigError } from "./config.ts";

/** A setting that only its user can judge: what it throws is said as a fault of the setting. @throws ConfigError */
export function checked<T>(setting: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason =
      error instanceof PolicyError
        ? error.faults.map(({ pointer, message }) => `${pointer} ${message}`).join(", ")
        : error instanceof Error
          ? error.message
          : String(error);
    throw new ConfigError(`"${setting}": ${reason}`);
  }
}
