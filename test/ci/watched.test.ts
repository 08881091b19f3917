import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT } from "../docs/documents.ts";
import { untilGone } from "../helpers/process-end.ts";

type Run = { readonly code: number; readonly output: string };

/** What CI runs every gate with. `script`: for a shell. */
class Watched {
  readonly #process: ChildProcess;
  #output = "";

  constructor(seconds: number, script: string) {
    const watcher = join(ROOT, ".ci", "watched.mjs");
    this.#process = spawn(process.execPath, [watcher, String(seconds), "sh", "-c", script], {
      env: { ...process.env, SUMMARY_SECONDS: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
  }

  async ended(): Promise<Run> {
    const [code] = await once(this.#process, "close");
    return { code: Number(code), output: this.#output };
  }
}

/** The number that a script printed for a process of its own. */
function pidIn(output: string): number {
  return Number(/pid (\d+)/.exec(output)?.[1]);
}

describe("a watched command", () => {
  it("ends as the command does, with all that it printed in order", async () => {
    const { code, output } = await new Watched(15, "echo one; echo two >&2; echo three; exit 3").ended();
    expect({ code, output }).to.deep.equal({ code: 3, output: "one\ntwo\nthree\n" });
  });

  it("is not waited for because of a process that it left behind", async () => {
    const { code, output } = await new Watched(15, 'sleep 60 & echo "pid $!"').ended();
    expect(code).to.equal(0);
    process.kill(pidIn(output));
  });

  it("is ended when its time is over, and says what each thread waits for", async () => {
    const { code, output } = await new Watched(1, 'sleep 60 & echo "pid $!"; wait').ended();
    expect(code).to.equal(124);
    expect(output).to.include("took longer than 1 s");
    expect(output).to.match(new RegExp(`process ${pidIn(output)} .*sleep 60\n==   thread .* sleep: S`));
    await untilGone(pidIn(output));
  });

  it("is ended with processes that have left its session and their parents, and do not want to end", async () => {
    const stubborn = `trap "" TERM; echo "pid $$"; while :; do sleep 0.1; done`;
    const { code, output } = await new Watched(1, `(setsid sh -c '${stubborn}' &); sleep 60`).ended();
    expect(code).to.equal(124);
    await untilGone(pidIn(output));
  });

  it("is ended when it does not end after mocha's summary, and that is said", async () => {
    const { code, output } = await new Watched(15, 'echo "  3 passing (2s)"; sleep 60').ended();
    expect(code).to.equal(125);
    expect(output).to.include("printed its summary and did not end within 1 s");
  });

  it("may print mocha's summary and end", async () => {
    const { code, output } = await new Watched(15, 'echo "  3 passing (2s)"; echo; exit 0').ended();
    expect({ code, output }).to.deep.equal({ code: 0, output: "  3 passing (2s)\n\n" });
  });
});
