import { toRecord } from "../../helpers/record.ts";
import type { TestServer } from "../../helpers/server.ts";
import { sinceOf, WINDOWS } from "./channels.ts";
import { KeyRing } from "./key-ring.ts";
import type { Plan, PublishStep, Since, Step } from "./plan.ts";
import { Player, type PlayerVisit, type Table } from "./player.ts";
import { defined, Press } from "./press.ts";
import { type GameRecord, isTakenOver, type Request } from "./trace.ts";
import { within } from "./within.ts";

/** Plays a plan over real sockets, and writes down what everyone saw. */
export class Game implements Table {
  readonly port: number;
  readonly broadcastName: string;
  readonly faults: string[] = [];
  readonly #server: TestServer;
  readonly #plan: Plan;
  readonly #channels: string[];
  readonly #keys: KeyRing;
  readonly #press: Press;
  readonly #open = new Set<Promise<void>>();
  #players: Player[] = [];
  #witness: Player | undefined;
  #clock = 0;

  constructor(server: TestServer, plan: Plan) {
    this.port = server.port;
    this.broadcastName = `broadcast ${plan.seed}`;
    this.#server = server;
    this.#plan = plan;
    this.#channels = WINDOWS.map(({ suffix }) => `model:${plan.seed}:${suffix}`);
    const tick = (): number => this.tick();
    this.#keys = new KeyRing(server, this.#channels, tick);
    const secretOf = (key: number): string => this.#keys.secretOf(key);
    this.#press = new Press({ server, broadcastName: this.broadcastName, tick, secretOf });
  }

  tick(): number {
    return this.#clock++;
  }

  messageOf(body: number): unknown {
    return this.#press.messageOf(body);
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  async play(): Promise<GameRecord> {
    await this.#keys.open();
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
      publications: this.#press.publications,
      withdrawals: this.#keys.withdrawals,
      visits: this.#players.flatMap(({ visits }) => visits),
      witness: watched,
    };
  }

  /** The members of a channel as the server lists them, each with `id`, `clientId` and `data`. */
  async members(channel: string): Promise<Record<string, unknown>[]> {
    const response = await fetch(
      `${this.#server.url}/channels/members?channel=${encodeURIComponent(channel)}&limit=1000`,
      {
        headers: { authorization: `Bearer ${this.#keys.secretOf(2)}` },
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
    const player = new Player(this, { index, key, echo, secret: this.#keys.secretOf(key), transports });
    if ((await player.visit(false)) === undefined) throw new Error(`client ${index} was refused`);
    return player;
  }

  async #step(step: Step): Promise<void> {
    if (step.do === "breathe") await new Promise((resolve) => setImmediate(resolve));
    else if (step.do === "settle") await this.#settle();
    else if (step.do === "http")
      this.#track(
        this.#press.publish(
          step.key,
          step.channels.map((at) => this.#channel(at)),
          step.slot,
        ),
      );
    else if (step.do === "flood")
      await this.#press.flood(this.#channel(step.channel), () => this.#witness?.current?.settle());
    else if (step.do === "withdraw")
      await this.#keys.withdraw(step.key, step.channel === "all" ? "all" : this.#channel(step.channel));
    else if (step.do === "restore") await this.#keys.restore(step.key);
    else if (step.do === "broadcast" && step.who === null) this.#track(this.#press.broadcast());
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
    else if (step.do === "drop") visit.drop(step.how);
    else if (step.do === "stall") visit.stall();
    else visit.flow();
  }

  #publish(player: Player, visit: PlayerVisit, { channel: at, echo, slot, other, kind }: PublishStep): void {
    const channel = this.#channel(at);
    const id = slot === undefined ? undefined : `${player.index}-${slot}`;
    const body = this.#press.bodyOf(`${channel} ${visit.clientId} ${id}`, id, other, kind);
    const publication = this.#press.note({
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
    const body = this.#press.bodyOf("", undefined, false, "plain");
    const publication = this.#press.note({
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

  async #return(player: Player, resume: boolean, since: Since): Promise<void> {
    if (this.#keys.isShut(player.key)) return;
    const before = player.visits.at(-1);
    if (before?.isStalled === true) before.flow();
    if (!resume) player.positions.clear();
    if ((await player.visit(resume)) === undefined) return;
    for (const channel of [...player.positions.keys()])
      this.#track(this.#change(player, channel, { event: "join", since, echo: false }));
  }

  /** Everyone comes back and catches up; everything was answered, and what was sent has come. */
  async #finish(): Promise<void> {
    for (const { visits } of this.#players) for (const visit of visits) visit.flow();
    for (const key of [0, 1]) await this.#keys.restore(key);
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
