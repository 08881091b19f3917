import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type Static, type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";

const Reply = Compile(
  Type.Object({
    call: Type.Number(),
    result: Type.Optional(Type.Unknown()),
    fault: Type.Optional(Type.String()),
  }),
);
const Call = Compile(
  Type.Object({ call: Type.Number(), name: Type.String(), argument: Type.Optional(Type.Unknown()) }),
);

type Pending = { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void };

/** Names what runs the module, where it is not the Node of this process as it is. */
export type ChildRuntime = {
  readonly execPath?: string;
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what it prints to standard output, such as its log, is dropped. */
  readonly isSilent?: boolean;
};

/** A process of its own, asked over the channel between parent and child. It ends with its parent. */
export class Child {
  readonly process: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;

  /** `file`: the URL of the module to run. */
  constructor(
    file: string,
    args: readonly string[] = [],
    { execPath, execArgv = [], env, isSilent = false }: ChildRuntime = {},
  ) {
    const loader = file.endsWith(".ts") ? ["--import", "tsx"] : [];
    this.process = fork(new URL(file), args, {
      execArgv: [...execArgv, ...loader],
      stdio: ["ignore", isSilent ? "ignore" : "inherit", "inherit", "ipc"],
      ...(execPath === undefined ? {} : { execPath }),
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    });
    this.process.on("message", (message) => this.#settle(message));
    this.process.once("exit", (code, signal) => {
      for (const { reject } of this.#pending.values())
        reject(new Error(`the child ended: ${code ?? signal}`));
      this.#pending.clear();
    });
  }

  /** Ask, and read the answer by its schema. Rejects with what the child throws, and when it ends. */
  call<Schema extends TSchema>(schema: Schema, name: string, argument?: unknown): Promise<Static<Schema>> {
    return this.#call(name, argument).then((result) => Compile(schema).Parse(result));
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill(signal);
    await exited;
  }

  #call(name: string, argument: unknown): Promise<unknown> {
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      this.process.send({ call, name, argument }, (error) => {
        if (error !== null && this.#pending.delete(call)) reject(error);
      });
    });
  }

  #settle(message: unknown): void {
    const { call, result, fault } = Reply.Parse(message);
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (fault === undefined) pending?.resolve(result);
    else pending?.reject(new Error(fault));
  }
}

/** The child's side: answer calls by name until the parent is gone. */
export function answerCalls(
  handlers: Readonly<Record<string, (argument: unknown) => unknown | Promise<unknown>>>,
): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (message) => {
    const { call, name, argument } = Call.Parse(message);
    Promise.resolve()
      .then(() => {
        const handler = handlers[name];
        if (handler === undefined) throw new Error(`no "${name}" here`);
        return handler(argument);
      })
      .then(
        (result) => process.send?.({ call, result }),
        (error: unknown) =>
          process.send?.({ call, fault: error instanceof Error ? error.stack : String(error) }),
      );
  });
}

/** Milliseconds on a clock that all processes of this machine share (CLOCK_MONOTONIC). */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The value below which this share of the values lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
