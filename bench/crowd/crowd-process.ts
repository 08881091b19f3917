import { Compile } from "typebox/compile";
import { answerCalls, nowMs, percentile } from "./child.ts";
import { Await, Flow, Open, Report, type Summary } from "./crowd.ts";
import { openPolling, openWebSocket, type Wire, type WireOptions } from "./wire.ts";

/** Connections of this process that are being opened at the same time. */
const OPENING_AT_ONCE = 100;

type Member = { readonly wire: Wire; readonly channel: string };
type Group = {
  readonly members: Set<Member>;
  readonly told: Map<string, number>;
  firstToldMs: number | null;
  lastToldMs: number | null;
  gone: number;
  lastGoneMs: number | null;
  markers: number;
  joins: number;
  leaves: number;
  counts: number;
  lastCount: number | null;
  other: number;
  latestSentMs: number | null;
  samples: { sentMs: number; latencyMs: number }[];
  readonly waiting: Set<() => void>;
};

const groups = new Map<string, Group>();
const [openOf, flowOf, awaitOf, reportOf] = [Compile(Open), Compile(Flow), Compile(Await), Compile(Report)];
const flows = new Map<string, NodeJS.Timeout>();

answerCalls({
  /** Opens connections, each a member of one of the channels in turn. Resolves when all have joined. */
  async open(argument) {
    const {
      group: name,
      count,
      port,
      apiKey,
      channels,
      localAddresses,
      polling = 0,
    } = openOf.Parse(argument);
    const group = groups.get(name) ?? newGroup();
    groups.set(name, group);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        const index = next;
        next += 1;
        const channel = channels[index % channels.length] ?? "";
        // Each channel has connections from each of the addresses.
        const turn = Math.floor(index / channels.length);
        const localAddress = localAddresses[turn % localAddresses.length] ?? "127.0.0.1";
        await join(group, index < polling, { port, localAddress }, apiKey, channel);
      }
    };
    await Promise.all(Array.from({ length: OPENING_AT_ONCE }, work));
    return group.members.size;
  },
  /** Connections of the group publish, one after the other, until `stopFlow`. */
  flow(argument) {
    const { group: name, everyMs } = flowOf.Parse(argument);
    const group = groups.get(name);
    let turn: Iterator<Member> | undefined;
    clearInterval(flows.get(name));
    const flow = setInterval(() => {
      let step = turn?.next();
      if (step === undefined || step.done === true) {
        turn = group?.members.values();
        step = turn?.next();
      }
      if (step === undefined || step.done === true) return;
      const { wire, channel } = step.value;
      const message = { sentMs: nowMs() };
      wire.send(`42["message",${JSON.stringify({ channel, eventName: "tick", message })}]`);
    }, everyMs);
    flows.set(name, flow);
  },
  stopFlow() {
    for (const flow of flows.values()) clearInterval(flow);
    flows.clear();
  },
  /** Resolves when so many of the group are gone, or with fewer after the time-out. */
  async gone(argument) {
    const { group: name, count, timeoutMs } = awaitOf.Parse(argument);
    const group = groups.get(name) ?? newGroup();
    await until(group, () => group.gone >= count, timeoutMs);
    return group.gone;
  },
  /** What the group has seen since it was reset; latencies of what was sent in the window. */
  report(argument): Summary {
    const { group: name, fromMs, untilMs } = reportOf.Parse(argument);
    const group = groups.get(name) ?? newGroup();
    const latencies = group.samples
      .filter(({ sentMs }) => sentMs >= fromMs && sentMs < untilMs)
      .map(({ latencyMs }) => latencyMs);
    const { firstToldMs, lastToldMs, gone, lastGoneMs, markers, other, latestSentMs } = group;
    const { joins, leaves, counts, lastCount } = group;
    return {
      open: group.members.size,
      told: Object.fromEntries(group.told),
      firstToldMs,
      lastToldMs,
      gone,
      lastGoneMs,
      markers,
      joins,
      leaves,
      counts,
      lastCount,
      other,
      latestSentMs,
      latency: {
        count: latencies.length,
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99),
        max: percentile(latencies, 1),
      },
    };
  },
  /** Forget what the group has seen; the connections stay. */
  reset(argument) {
    const { group: name } = reportOf.Parse(argument);
    const group = groups.get(name);
    if (group === undefined) return;
    group.told.clear();
    group.samples = [];
    Object.assign(group, {
      firstToldMs: null,
      lastToldMs: null,
      gone: 0,
      lastGoneMs: null,
      markers: 0,
      joins: 0,
      leaves: 0,
      counts: 0,
      lastCount: null,
      other: 0,
      latestSentMs: null,
    });
  },
});

function until(group: Group, isSo: () => boolean, timeoutMs: number): Promise<void> {
  if (isSo()) return Promise.resolve();
  return new Promise<void>((resolve) => {
    const timer = setTimeout(done, timeoutMs);
    function look(): void {
      if (isSo()) done();
    }
    function done(): void {
      clearTimeout(timer);
      group.waiting.delete(look);
      resolve();
    }
    group.waiting.add(look);
  });
}

function newGroup(): Group {
  return {
    members: new Set(),
    told: new Map(),
    firstToldMs: null,
    lastToldMs: null,
    gone: 0,
    lastGoneMs: null,
    markers: 0,
    joins: 0,
    leaves: 0,
    counts: 0,
    lastCount: null,
    other: 0,
    latestSentMs: null,
    samples: [],
    waiting: new Set(),
  };
}

/** Joins, and is counted from its acknowledgement to its end. */
function join(
  group: Group,
  isPolling: boolean,
  place: WireOptions,
  apiKey: string,
  channel: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isIn = false;
    const wire = (isPolling ? openPolling : openWebSocket)(place, {
      onPacket(text) {
        if (text === "2") wire.send("3");
        else if (text.startsWith('42["')) receive(group, text);
        else if (text.startsWith("0{")) wire.send(`40${JSON.stringify({ apiKey, echoMessages: true })}`);
        else if (text.startsWith("40{")) wire.send(`420["join",${JSON.stringify({ channel })}]`);
        else if (text.startsWith("430") && !isIn) {
          if (!text.includes('"ok":true')) reject(new Error(text));
          isIn = true;
          group.members.add(member);
          resolve();
        } else if (text.startsWith("44")) reject(new Error(text));
      },
      onEnd(error) {
        if (!isIn) reject(error ?? new Error("closed before it had joined"));
        if (!group.members.delete(member)) return;
        group.gone += 1;
        group.lastGoneMs = nowMs();
        for (const look of group.waiting) look();
      },
    });
    const member: Member = { wire, channel };
  });
}

function receive(group: Group, text: string): void {
  const atMs = nowMs();
  const [event, payload] = JSON.parse(text.slice(2));
  if (event === "tick" || event === "marker") {
    const sentMs = Number(payload.message.sentMs);
    group.latestSentMs = Math.max(group.latestSentMs ?? sentMs, sentMs);
    if (event === "marker") group.markers += 1;
    else group.samples.push({ sentMs, latencyMs: atMs - sentMs });
  } else if (event === "connection:closing") {
    group.told.set(payload.code, (group.told.get(payload.code) ?? 0) + 1);
    group.firstToldMs ??= atMs;
    group.lastToldMs = atMs;
  } else if (event === "channel:leave") {
    group.leaves += 1;
  } else if (event === "channel:join") {
    group.joins += 1;
  } else if (event === "channel:presence") {
    group.counts += 1;
    group.lastCount = payload.count;
  } else if (event !== "connection:ready") {
    group.other += 1;
  }
}
