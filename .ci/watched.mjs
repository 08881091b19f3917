/**
 * Runs a command and never waits for it for good. Arguments: seconds, the command and its arguments. When the time is
 * over, or a test run has printed its summary and does not end within SUMMARY_SECONDS (60), says what its processes
 * are waiting for and ends them all. Ends as the command does; 124: took too long; 125: did not end after its summary.
 */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const TOOK_TOO_LONG = 124;
const DID_NOT_END = 125;
const GRACE_MS = 3_000;
const GDB_MS = 30_000;
/** More processes than these are not asked for a backtrace, which takes some seconds each. */
const MOST_BACKTRACES = 3;
const MOST_THREADS = 40;
/** As mocha begins its summary. */
const SUMMARY = /^ +\d+ passing \(/m;

const [secondsText = "", ...command] = process.argv.slice(2);
const seconds = Number(secondsText);
const summarySeconds = Number(process.env.SUMMARY_SECONDS ?? 60);
if (!(seconds > 0) || !(summarySeconds > 0) || command.length === 0)
  throw new Error("usage: watched.mjs seconds command …");

// One pipe for both, so that their lines stay in order.
const mark = `WATCHED_BY=${process.pid}.${Date.now()}`;
const child = spawn("sh", ["-c", 'exec "$@" 2>&1', "sh", ...command], {
  stdio: ["ignore", "pipe", "inherit"],
  detached: true,
  env: { ...process.env, WATCHED_BY: mark.slice(mark.indexOf("=") + 1) },
});
let isEnding = false;
let tail = "";
let afterSummary;
const wholeTime = setTimeout(() => void end(TOOK_TOO_LONG, `took longer than ${seconds} s`), seconds * 1_000);

// Whoever listens may go before the processes have been ended.
process.stdout.on("error", () => {});
child.stdout.on("data", (chunk) => {
  process.stdout.write(chunk);
  if (afterSummary !== undefined) return;
  tail += chunk.toString("latin1");
  if (SUMMARY.test(tail)) {
    const why = `printed its summary and did not end within ${summarySeconds} s`;
    afterSummary = setTimeout(() => void end(DID_NOT_END, why), summarySeconds * 1_000);
  }
  tail = tail.slice(tail.lastIndexOf("\n") + 1);
});
child.once("error", (error) => finish(127, `could not be started: ${error.message}`));
child.once("exit", (code, signal) => {
  if (isEnding) return;
  clearTimeout(wholeTime);
  clearTimeout(afterSummary);
  const done = () => finish(code ?? 1, signal === null ? undefined : `was ended by ${signal}`);
  // A process that it left behind may hold the pipe open: what is in it by now is all that is waited for.
  if (child.stdout.closed) done();
  else {
    child.stdout.once("close", done);
    setTimeout(done, 1_000);
  }
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
  process.once(signal, () => void end(TOOK_TOO_LONG, `was ended from outside by ${signal}`));

/** Say why and what hangs, then end every process: first kindly, then not. */
async function end(code, why) {
  if (isEnding) return;
  isEnding = true;
  say(`${command.join(" ")} ${why}`);
  const processes = family();
  for (const line of processes.flatMap(describe)) say(line);
  for (const line of backtraces(processes)) say(line);
  signalAll(processes, "SIGTERM");
  const deadlineMs = Date.now() + GRACE_MS;
  while (Date.now() < deadlineMs && processes.some(isThere))
    await new Promise((done) => setTimeout(done, 50));
  signalAll([...processes, ...family()], "SIGKILL");
  finish(code);
}

function finish(code, why) {
  if (why !== undefined) say(`${command.join(" ")} ${why}`);
  // Standard output may be a pipe, which is written in the background.
  process.stdout.write("", () => process.exit(code));
}

function say(line) {
  process.stdout.write(`== ${line}\n`);
}

/** The command's process, all below it, and those whose parents have gone: they still have the mark. */
function family() {
  const all = list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const found = new Map();
  const add = (one) => {
    if (found.has(one.pid)) return;
    found.set(one.pid, one);
    for (const other of all) if (other.parent === one.pid) add(other);
  };
  for (const one of all) if (one.pid === child.pid || isMarked(one.pid)) add(one);
  return [...found.values()];
}

function isMarked(pid) {
  return read(`/proc/${pid}/environ`).split("\0").includes(mark);
}

/** `startedAt` tells a process from a later one with the same number. */
function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  if (text === "") return undefined;
  const [state, parent, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { pid, state, parent: Number(parent), startedAt: rest[17] };
}

function isThere({ pid, startedAt }) {
  const now = statOf(pid);
  return now !== undefined && now.startedAt === startedAt && now.state !== "Z";
}

function signalAll(processes, signal) {
  for (const one of processes) if (isThere(one)) send(one.pid, signal);
  // Its group, for machines without /proc.
  if (child.exitCode === null && child.signalCode === null) send(-child.pid, signal);
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone meanwhile.
  }
}

/** What a process is, and what each of its threads waits for, or that it runs: with the processor time it had. */
function describe({ pid, parent, state }) {
  const name = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim().slice(0, 200);
  const threads = list(`/proc/${pid}/task`)
    .slice(0, MOST_THREADS)
    .map((thread) => {
      const of = (file) => read(`/proc/${pid}/task/${thread}/${file}`).trim();
      const [status = "?"] = /(?<=^State:\s+).*/m.exec(of("status")) ?? [];
      const stack = [...of("stack").matchAll(/(?<=\] )\w+/g)].slice(0, 5).join(" < ");
      const ticks = of("stat").slice(of("stat").lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
      const cpuSeconds = ticks.reduce((sum, count) => sum + count, 0) / 100;
      return `  thread ${thread} ${of("comm")}: ${status}, ${cpuSeconds} s of CPU, in ${stack || of("wchan") || "?"}`;
    });
  return [`process ${pid} (of ${parent}, ${state}) ${name}`, ...threads];
}

/** Of the processes that run Node, where gdb is at hand. */
function backtraces(processes) {
  const ours = processes.filter(({ pid }) => isNode(pid)).slice(-MOST_BACKTRACES);
  if (ours.length === 0) return [];
  if (spawnSync("gdb", ["--version"]).status !== 0) return ["no gdb here, so no backtraces"];
  return ours.flatMap(({ pid }) => {
    const asked = ["thread apply 1 backtrace 24", "thread apply all backtrace 5"];
    const call = ["--batch", "-p", String(pid), ...asked.flatMap((text) => ["-ex", text])];
    const { stdout } = spawnSync("gdb", call, { encoding: "utf8", timeout: GDB_MS, killSignal: "SIGKILL" });
    const lines = (stdout ?? "").split("\n").filter((line) => /^(Thread |#)/.test(line));
    return [`backtrace of ${pid}`, ...lines.map((line) => `  ${line.slice(0, 160)}`)];
  });
}

function isNode(pid) {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === process.execPath;
  } catch {
    return false;
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty for what is not there or may not be read. */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
