import { memberOf, stringAt } from "./admin-client.ts";
import { CommandError } from "./command-error.ts";
import { printableJson, printableLine } from "./printable.ts";

/**
 * JSON for a program: whoever parses it gets exactly what the server sent, and on a terminal it steers nothing.
 * @returns the exit code of a command that has printed its answer.
 */
export function printJson(value: unknown): number {
  process.stdout.write(jsonText(value));
  return 0;
}

/**
 * Prints what can be shown once. @throws CommandError when nobody can have read it: the secret exists all the same, and
 * `remedy` says what to do.
 */
export async function printOnce(text: string, remedy: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.removeAllListeners("error");
    const fail = (error: Error): void =>
      reject(new CommandError(`the new secret could not be written (${error.message}): ${remedy}`));
    process.stdout.once("error", fail);
    process.stdout.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else fail(error);
    });
  });
  return 0;
}

/** A key's secret, the one time that it can be shown. */
export function printSecret(key: unknown, isJson: boolean, remedy: string): Promise<number> {
  const lines = `Key      ${lineAt(key, "id")}\nSecret   ${lineAt(key, "secret")}\n\nThe secret is shown once: keep it now.\n`;
  return printOnce(isJson ? jsonText(key) : lines, remedy);
}

function jsonText(value: unknown): string {
  return `${printableJson(JSON.stringify(value, null, 2))}\n`;
}

/** What the server found worth saying of a key that was written, and that it lets nobody in. */
export function printWarnings(key: unknown): void {
  if (stringAt(key, "state") === "expired")
    process.stdout.write(
      `Note: the key has expired (${lineAt(memberOf(key, "settings"), "expiresAt")}) and lets nobody in.\n`,
    );
  const warnings = memberOf(key, "warnings");
  if (!Array.isArray(warnings)) return;
  for (const warning of warnings) process.stdout.write(`Note: ${lineAt(warning, "message")}\n`);
}

/** A string member of a server's answer, for a line that a person reads. */
export function lineAt(value: unknown, name: string): string {
  return printableLine(stringAt(value, name) ?? "");
}
