import { type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import { CommandError } from "./command-error.ts";
import { printableLine } from "./printable.ts";

/** How patient a request is, and how often it says that it waits. */
export type Patience = {
  readonly connectMs: number;
  /** Long work has no such limit. */
  readonly answerMs: number;
  readonly terminalNoteMs: number;
  /** Where standard error is a file or a program. */
  readonly noteMs: number;
};
const PATIENCE: Patience = {
  connectMs: 10_000,
  answerMs: 30_000,
  terminalNoteMs: 1_000,
  noteMs: 10_000,
};

type Question = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly longWork?: string;
};
type Answer = { readonly status: number; readonly text: string };

/**
 * One request. Node's `fetch` gives up after five minutes of silence and does not tell a server that nobody listens for from
 * one that is still at work, which makes all the difference to whoever may try again.
 * @throws CommandError that says which of them it was
 */
export async function ask(
  url: URL,
  { method, headers, body, longWork }: Question,
  patience: Patience = PATIENCE,
): Promise<Answer> {
  const progress = longWork === undefined ? undefined : showProgress(longWork, patience);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
        agent: false,
      });
      const state = watch(request, longWork !== undefined, patience);
      request.on("response", (response) => {
        state.isAnswering = true;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
        response.on("error", () => reject(new CommandError("the server ended its answer half way")));
      });
      request.on("error", (error) =>
        reject(new CommandError(printableLine(reasonOf(url, error, { ...state, ...patience })))),
      );
      request.on("close", () => clearTimeout(state.timer));
      request.end(body);
    });
  } finally {
    progress?.();
  }
}

type State = {
  isConnected: boolean;
  isAnswering: boolean;
  isOverdue: boolean;
  timer: NodeJS.Timeout | undefined;
};

/** Gives up on a host that does not take the connection, and after a longer time on one that does not answer. */
function watch(request: ClientRequest, isLongWork: boolean, { connectMs, answerMs }: Patience): State {
  const state: State = { isConnected: false, isAnswering: false, isOverdue: false, timer: undefined };
  const giveUpAfter = (ms: number): void => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      state.isOverdue = true;
      request.destroy(new Error(`nothing within ${ms / 1_000} s`));
    }, ms);
  };
  giveUpAfter(connectMs);
  request.on("socket", (socket: Socket) => {
    socket.once(request.protocol === "https:" ? "secureConnect" : "connect", () => {
      state.isConnected = true;
      clearTimeout(state.timer);
      if (!isLongWork) giveUpAfter(answerMs);
    });
  });
  return state;
}

function reasonOf(
  url: URL,
  error: Error,
  { isConnected, isAnswering, isOverdue, answerMs }: State & Patience,
): string {
  if (!isConnected)
    return `no server answers at ${url.origin} (${messageOf(error)}): start one, or give --url`;
  if (isAnswering) return `the server at ${url.origin} did not end its answer (${messageOf(error)})`;
  if (isOverdue)
    return `the server at ${url.origin} has not answered within ${answerMs / 1_000} s, and may still carry it out: look before you try again`;
  return `the server at ${url.origin} ended the connection before it answered (${messageOf(error)}), and may have carried it out: look before you try again`;
}

/** With several addresses of a host, Node gives an error that holds one for each, and has no text of its own. */
function messageOf(error: Error): string {
  if (error.message !== "") return error.message;
  const all = error instanceof AggregateError ? error.errors : [];
  const texts = all.map((one: unknown) => (one instanceof Error ? one.message : String(one)));
  return texts.join(", ") || error.name;
}

/** @returns ends it, and takes its line away. */
function showProgress(what: string, { terminalNoteMs, noteMs }: Patience): () => void {
  const beganAtMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganAtMs) / 1_000);
  const isTerminal = process.stderr.isTTY === true;
  const timer = setInterval(
    () => {
      if (isTerminal) process.stderr.write(`\r${what}: the server is at work, ${seconds()} s `);
      else process.stderr.write(`${what}: the server is at work (${seconds()} s)\n`);
    },
    isTerminal ? terminalNoteMs : noteMs,
  );
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stderr.write("\r\u001b[K");
  };
}
