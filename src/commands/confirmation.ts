import { createInterface } from "node:readline/promises";
import { memberOf } from "./admin-client.ts";
import { CommandError } from "./command-error.ts";
import { printableLine } from "./printable.ts";

type Answers = { readonly yes?: boolean | undefined; readonly json?: boolean | undefined };

/** What a change does to live connections, as the server foresees it; undefined when it does nothing. */
export function closingOf(preview: unknown): string | undefined {
  const [closing, leaving, total] = ["closing", "leaving", "total"].map((name) => {
    const count = memberOf(preview, name);
    return typeof count === "number" ? count : 0;
  });
  const parts = [
    ...(closing ? [`closes ${closing} of ${plural(total ?? 0)}`] : []),
    ...(leaving ? [`takes ${plural(leaving)} out of channels`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(" and ");
}

/**
 * Says on standard error what a command does, and asks where a person sits at a terminal.
 * @throws CommandError when the answer is not yes
 */
export async function confirm(effect: string, { yes, json }: Answers): Promise<void> {
  if (json !== true || process.stdin.isTTY) process.stderr.write(`${printableLine(effect)}\n`);
  if (yes === true || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  prompt.once("close", () => closed.abort());
  try {
    const answer = await prompt.question("Go on? [y/N] ", { signal: closed.signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } catch (error) {
    // Ctrl-C, Ctrl-D, or the terminal has gone.
    if (!closed.signal.aborted) throw error;
  } finally {
    prompt.close();
  }
  throw new CommandError("nothing was changed");
}

export function plural(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}
