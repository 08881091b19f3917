import { memberOf, stringAt } from "./admin-client.ts";
import { printable, printableLine } from "./printable.ts";

/** @returns the exit code of a command that has printed its answer. */
export function printJson(value: unknown): number {
  process.stdout.write(`${printable(JSON.stringify(value, null, 2))}\n`);
  return 0;
}

/** A secret, the one time that it can be shown. */
export function printSecret(key: unknown): void {
  process.stdout.write(
    `Key      ${lineAt(key, "id")}\nSecret   ${lineAt(key, "secret")}\n\nThe secret is shown once: keep it now.\n`,
  );
}

export function printWarnings(key: unknown): void {
  const warnings = memberOf(key, "warnings");
  if (!Array.isArray(warnings)) return;
  for (const warning of warnings) process.stdout.write(`Note: ${lineAt(warning, "message")}\n`);
}

/** A string member of a server's answer, for a line that a person reads. */
export function lineAt(value: unknown, name: string): string {
  return printableLine(stringAt(value, name) ?? "");
}
