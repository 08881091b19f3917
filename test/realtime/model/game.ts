import { toRecord } from "../../helpers/record.ts";
import type { CreatedKey, TestServer } from "../../helpers/server.ts";
import type { Kind, Plan, PublishStep, Since, Step } from "./plan.ts";
import { Player, type PlayerVisit, settlePublication, type Table, within } from "./player.ts";
import {
  type GameRecord,
  isTakenOver,
  type Position,
  type Publication,
  type Request,
  type Withdrawal,
} from "./trace.ts";

/** The channels' suffixes, and how many messages each keeps: the server's configuration must say the same. */
export const WINDOWS = [
  { suffix: "deep", window: 1_000 },
  { suffix: "tiny", window: 4 },
  { suffix: "none", window: 0 },
];

const LARGE = "é".repeat(12_000);
const FLOOD = "x".repeat(900_000);
const FLOODS = 9;

/** Plays a plan over real sockets, and writes down what everyone saw. */
export class Game implements Table {
  readonly port: number;
  readonly broadcastName: string;
  readonly faults: string[] = [];
  readonly #server: TestServer;
  readonly #plan: Plan;
  readonly #channels: string[];
  readonly #publications: Publication[] = [];
  readonly #withdrawals: Withdrawal[] = [];
  readonly #kinds: (Kind | "flood")[] = [];
  /** The body that was first sent under an id. */
  readonly #slots = new Map<string, number>();
  readonly #open = new Set<Promise<void>>();
  #keys: CreatedKey[] = [];
  #players: Player[] = [];
  #witness: Player | undefined;
  #clock = 0;

  constructor(server: TestServer, plan: Plan) {
    this.port = server.port;
    this.broadcastName = `broadcast ${plan.seed}`;
    this.#server = server;
    this.#plan = plan;
    this.#channels = WINDOWS.map(({ suffix }) => `model:${plan.seed}:${suffix}`);
  }

  tick(): number {
    return this.#clock++;
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  messageOf(body: number): unknown {
    const kind = this.#kinds[body];
    if (kind === "binary") return { body, blob: Buffer.from(`blob ${body}`) };
    if (kind === "large") return { body, filler: LARGE };
    return kind === "flood" ? { body, filler: FLOOD } : { body };
  }

  async play(): Promise<GameRecord> {
    this.#keys = await Promise.all(
      [0, 1, 2].map((key) =>
        this.#server.createKey({ allowRealtime: true, channels: this.#rules(key, undefined) }),
      ),
    );
    const witness = await this.#enter(-1, 2, ["websocket"], true);
    this.#witness = witness;
    for (const channel of this.#channels)
      await this.#change(witness, channel, { event: "join", since: "none", echo: false });
    this.#players = await Promise.all(
      this.#plan.clients.map(({ key, transports, echo }, index) => this.#enter(index, key, transports, echo)),
    );
    for (const step of this.#plan.steps) {
      await this.#step(step);
      if (this.faults.length > 0) break;
    }
    await this.#finish();
    const [watched] = witness.visits;
    if (watched === undefined || !watched.isOpen) throw new Error("the witness lost its connection");
    return {
      channels: this.#channels.map((name, index) => ({ name, window: WINDOWS[index]?.window ?? 0 })),
      publications: this.#publications,
      withdrawals: this.#withdrawals,
      visits: this.#players.flatMap(({ visits }) => visits),
      witness: watched,
    };
  }

  /** The members of a channel as the server lists them, each with `id`, `clientId` and `data`. */
  async members(channel: string): Promise<Record<string, unknown>[]> {
    const response = await fetch(
      `${this.#server.url}/channels/members?channel=${encodeURIComponent(channel)}&limit=1000`,
      {
        headers: { authorization: `Bearer ${this.#keys[2]?.secret}` },
      },
    );
    const { members } = toRecord(await response.json());
    if (!Array.isArray(members)) throw new Error(`no members: ${response.status}`);
    return members.map(toRecord);
  }

  /** What is frozen ends; wait until the witness has heard of it. */
  async thaw(): Promise<void> {
    for (const { visits } of this.#players) for (const { link } of visits) link.thaw();
    await this.#witness?.current?.settle();
  }

  close(): void {
    for (const player of this.#players) player.close();
    this.#witness?.close();
  }

  async #enter(index: number, key: number, transports: readonly string[], echo: boolean): Promise<Player> {
    const player = new Player(this, { index, key, echo, secret: this.#keys[key]?.secret ?? "", transports });
    if ((await player.visit(false)) === undefined) throw new Error(`client ${index} was refused`);
    return player;
  }

  async #step(step: Step): Promise<void> {
    if (step.do === "breathe") await new Promise((resolve) => setImmediate(resolve));
    else if (step.do === "settle") await this.#settle();
    else if (step.do === "http") this.#track(this.#publishOverHttp(step.key, step.channels, step.slot));
    else if (step.do === "flood") await this.#flood(this.#channel(step.channel));
    else if (step.do === "withdraw") await this.#withdraw(step.key, step.channel);
    else if (step.do === "restore") await this.#restore(step.key);
    else if (step.do === "broadcast" && step.who === null) this.#track(this.#broadcastOverHttp());
    else if (step.who !== null) await this.#act(step, step.who);
  }

  async #act(
    step: Exclude<Step, { do: "breathe" | "settle" | "http" | "flood" | "withdraw" | "restore" }>,
    who: number,
  ): Promise<void> {
    const player = this.#player(who);
    if (step.do === "return") return this.#return(player, step.resume, step.since);
    // Whoever was cut off comes back first.
    if (player.current === undefined) await this.#return(player, true, "last");
    const visit = player.current;
    if (visit === undefined) return;
    if (step.do === "publish") this.#publish(player, visit, step);
    else if (step.do === "broadcast") this.#broadcast(player, visit, step.echo);
    else if (step.do === "join")
      this.#track(
        this.#change(player, this.#channel(step.channel), {
          event: "join",
          since: step.since,
          echo: step.echo,
        }),
      );
    else if (step.do === "leave")
      this.#track(
        this.#change(player, this.#channel(step.channel), { event: "leave", since: "none", echo: step.echo }),
      );
    else if (step.do === "update")
      this.#track(visit.request({ ...PLAIN, event: "update", payload: { data: { at: this.#clock } } }));
    else if (step.do === "history") this.#history(visit, this.#channel(step.channel), step.limit);
    else if (step.do === "drop") this.#drop(visit, step.how);
    else if (step.do === "stall") stall(visit);
    else flow(visit);
  }

  #publish(player: Player, visit: PlayerVisit, { channel: at, echo, slot, other, kind }: PublishStep): void {
    const channel = this.#channel(at);
    const id = slot === undefined ? undefined : `${player.index}-${slot}`;
    const body = this.#bodyOf(`${channel} ${visit.clientId} ${id}`, id, other, kind);
    const publication = this.#publication({
      channel,
      body,
      echo: echo ?? player.echo,
      id,
      visit,
      key: player.key,
    });
    const payload = { channel, eventName: "m", message: this.messageOf(body), ...defined({ echo, id }) };
    this.#track(
      visit.request({
        event: "message",
        channel,
        since: undefined,
        echo: publication.echo,
        publication,
        payload,
      }),
    );
  }

  #broadcast(player: Player, visit: PlayerVisit, echo: boolean | undefined): void {
    const body = this.#bodyOf("", undefined, false, "plain");
    const publication = this.#publication({
      channel: null,
      body,
      echo: echo ?? player.echo,
      id: undefined,
      visit,
      key: player.key,
    });
    const payload = { eventName: this.broadcastName, message: this.messageOf(body), ...defined({ echo }) };
    this.#track(
      visit.request({
        event: "message",
        channel: null,
        since: undefined,
        echo: publication.echo,
        publication,
        payload,
      }),
    );
  }

  async #publishOverHttp(key: number, channels: readonly number[], slot: number | undefined): Promise<void> {
    const id = slot === undefined ? undefined : `http-${slot}`;
    const publications = channels.map((at) => {
      const channel = this.#channel(at);
      const body = this.#bodyOf(`${channel} ${key} ${id}`, id, false, "plain");
      return this.#publication({ channel, body, echo: true, id, visit: undefined, key });
    });
    const messages = publications.map(({ channel, body }) => ({
      channel,
      eventName: "m",
      message: this.messageOf(body),
      ...defined({ id }),
    }));
    const answer = await this.#post(
      key,
      messages.length === 1 ? "publish" : "publish/batch",
      messages.length === 1 ? messages[0] : { messages },
    );
    const { results } = answer;
    const at = this.tick();
    publications.forEach((publication, index) => {
      settlePublication(
        publication,
        Array.isArray(results) ? toRecord(results[index]) : "code" in answer ? { error: answer } : answer,
        at,
      );
    });
  }

  async #broadcastOverHttp(): Promise<void> {
    const body = this.#bodyOf("", undefined, false, "plain");
    const publication = this.#publication({
      channel: null,
      body,
      echo: true,
      id: undefined,
      visit: undefined,
      key: 2,
    });
    settlePublication(
      publication,
      await this.#post(2, "broadcast", { eventName: this.broadcastName, message: this.messageOf(body) }),
      this.tick(),
    );
  }

  /** More than the system's buffers take, one after the other: who does not read is cut off. */
  async #flood(channel: string): Promise<void> {
    for (let i = 0; i < FLOODS; i += 1) {
      const body = this.#bodyOf("", undefined, false, "flood");
      const publication = this.#publication({
        channel,
        body,
        echo: true,
        id: undefined,
        visit: undefined,
        key: 2,
      });
      settlePublication(
        publication,
        await this.#post(2, "publish", { channel, eventName: "m", message: this.messageOf(body) }),
        this.tick(),
      );
      await this.#witness?.current?.settle();
    }
  }

  async #post(key: number, route: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#server.url}/channels/${route}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#keys[key]?.secret}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return toRecord(await response.json());
  }

  async #change(
    player: Player,
    channel: string,
    { event, since, echo }: { event: "join" | "leave"; since: Since; echo: boolean },
  ): Promise<void> {
    const request = (): Request => {
      const position = event === "join" ? sinceOf(player.positions.get(channel), since) : undefined;
      return {
        event,
        channel,
        since: position,
        echo,
        publication: undefined,
        payload: { channel, echo, ...defined({ since: position }) },
      };
    };
    await player.current?.change(channel, request);
  }

  #history(visit: PlayerVisit, channel: string, limit: number): void {
    this.#track(visit.request({ ...PLAIN, event: "history", channel, payload: { channel, limit } }));
  }

  #drop(visit: PlayerVisit, how: "clean" | "engine" | "cut" | "freeze"): void {
    if (how === "clean") visit.disconnect();
    else if (how === "engine") visit.closeEngine();
    else if (how === "cut") visit.link.cut();
    else visit.link.freeze();
    if (how === "cut" || how === "freeze") visit.abandon();
  }

  async #return(player: Player, resume: boolean, since: Since): Promise<void> {
    if (
      this.#withdrawals.some(
        (one) => one.key === player.key && one.channel === "all" && Number.isNaN(one.restoreSentAt),
      )
    )
      return;
    const before = player.visits.at(-1);
    if (before?.isStalled === true) flow(before);
    if (!resume) player.positions.clear();
    if ((await player.visit(resume)) === undefined) return;
    for (const channel of [...player.positions.keys()])
      this.#track(this.#change(player, channel, { event: "join", since, echo: false }));
  }

  async #withdraw(key: number, at: number | "all"): Promise<void> {
    const channel = at === "all" ? at : this.#channel(at);
    const withdrawal: Withdrawal = {
      key,
      channel,
      sentAt: this.tick(),
      answeredAt: Number.NaN,
      restoreSentAt: Number.NaN,
      restoredAt: Number.NaN,
    };
    this.#withdrawals.push(withdrawal);
    await this.#patch(key, channel === "all" ? { enabled: false } : { channels: this.#rules(key, channel) });
    withdrawal.answeredAt = this.tick();
  }

  async #restore(key: number): Promise<void> {
    const withdrawal = this.#withdrawals.findLast((one) => one.key === key);
    if (withdrawal === undefined || !Number.isNaN(withdrawal.restoreSentAt)) return;
    withdrawal.restoreSentAt = this.tick();
    await this.#patch(key, { enabled: true, channels: this.#rules(key, undefined) });
    withdrawal.restoredAt = this.tick();
  }

  async #patch(key: number, patch: Record<string, unknown>): Promise<void> {
    const { status, body } = await this.#server.patchKey(this.#keys[key]?.id ?? "", patch);
    if (status !== 200) throw new Error(`the key was not edited: ${status} ${JSON.stringify(body)}`);
  }

  /** Key 0 may not read history; nobody may join `without`. */
  #rules(key: number, without: string | undefined): object[] {
    const actions = ["publish", "presence", ...(key === 0 ? [] : ["history"])];
    const channels = this.#channels.map((pattern) => ({
      pattern,
      actions: pattern === without ? actions : ["join", ...actions],
    }));
    return [
      ...channels,
      { pattern: "settle", actions: ["presence"] },
      { pattern: "**", actions: ["broadcast"] },
    ];
  }

  #bodyOf(slot: string, id: string | undefined, other: boolean, kind: Kind | "flood"): number {
    const known = id === undefined || other ? undefined : this.#slots.get(slot);
    if (known !== undefined) return known;
    const body = this.#kinds.push(kind) - 1;
    if (id !== undefined && !this.#slots.has(slot)) this.#slots.set(slot, body);
    return body;
  }

  #publication(asked: Pick<Publication, "channel" | "body" | "echo" | "id" | "visit" | "key">): Publication {
    const publication: Publication = {
      ...asked,
      sentAt: this.tick(),
      ackedAt: Number.NaN,
      outcome: undefined,
    };
    this.#publications.push(publication);
    return publication;
  }

  /** Everyone comes back and catches up; everything was answered, and what was sent has come. */
  async #finish(): Promise<void> {
    for (const { visits } of this.#players) for (const visit of visits) flow(visit);
    for (const key of [0, 1]) await this.#restore(key);
    await this.#settle();
    for (const player of this.#players)
      if (player.current === undefined) await this.#return(player, true, "last");
    await this.#settle();
    await this.#settle();
  }

  async #settle(): Promise<void> {
    // Those who do not read get their answers later.
    const isStalled = this.#players.some(({ current }) => current?.isStalled === true);
    if (!isStalled) await within(Promise.all(this.#open), "answers", () => this.#unanswered());
    const settled = this.#allPlayers().flatMap(({ visits }) =>
      visits.map((visit) => this.#settleVisit(visit, visits)),
    );
    await Promise.all(settled);
  }

  #unanswered(): string {
    return this.#allPlayers()
      .flatMap(({ visits }) => visits.flatMap(({ unanswered }) => unanswered))
      .join("\n");
  }

  async #settleVisit(visit: PlayerVisit, visits: readonly PlayerVisit[]): Promise<void> {
    if (!visit.isOpen || visit.isStalled) return;
    // Another took its place: it is told so, or finds out.
    if (isTakenOver(visit, visits)) await within(visit.ended, `${visit.name}: its end`);
    else await visit.settle();
  }

  #allPlayers(): readonly Player[] {
    return this.#witness === undefined ? this.#players : [...this.#players, this.#witness];
  }

  #track(run: Promise<void>): void {
    this.#open.add(run);
    run.then(
      () => this.#open.delete(run),
      (error: unknown) => this.fault(String(error)),
    );
  }

  #channel(index: number): string {
    return this.#channels[index] ?? "";
  }

  #player(index: number): Player {
    const player = this.#players[index];
    if (player === undefined) throw new Error(`there is no client ${index}`);
    return player;
  }
}

const PLAIN = { channel: null, since: undefined, echo: false, publication: undefined };

function stall(visit: PlayerVisit): void {
  visit.isStalled = true;
  visit.wasStalled = true;
  visit.link.stall();
}

function flow(visit: PlayerVisit): void {
  visit.isStalled = false;
  visit.link.flow();
}

function sinceOf(known: Position | undefined, since: Since): Position | undefined {
  if (since === "none" || known === undefined) return undefined;
  const { epoch, offset } = known;
  if (since === "older") return { epoch, offset: Math.max(0, offset - 3) };
  if (since === "start") return { epoch, offset: 0 };
  if (since === "foreign") return { epoch: "another", offset };
  return since === "ahead" ? { epoch, offset: offset + 1_000 } : { epoch, offset };
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
