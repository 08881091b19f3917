import type { CreatedKey, TestServer } from "../../helpers/server.ts";
import type { Withdrawal } from "./trace.ts";

/** The keys of a game, and what is done to them: 0 may not read history, 2 is the witness's. */
export class KeyRing {
  readonly withdrawals: Withdrawal[] = [];
  readonly #server: TestServer;
  readonly #channels: readonly string[];
  readonly #tick: () => number;
  #keys: CreatedKey[] = [];

  constructor(server: TestServer, channels: readonly string[], tick: () => number) {
    this.#server = server;
    this.#channels = channels;
    this.#tick = tick;
  }

  async open(): Promise<void> {
    const settings = (key: number) => ({
      allowRealtime: true,
      channels: this.#rules(key, undefined),
      broadcastTo: "everyone",
    });
    this.#keys = await Promise.all([0, 1, 2].map((key) => this.#server.createKey(settings(key))));
  }

  secretOf(key: number): string {
    return this.#keys[key]?.secret ?? "";
  }

  /** It is disabled as a whole. */
  isShut(key: number): boolean {
    return this.withdrawals.some(
      (one) => one.key === key && one.channel === "all" && Number.isNaN(one.restoreSentAt),
    );
  }

  async withdraw(key: number, channel: string): Promise<void> {
    const withdrawal: Withdrawal = {
      key,
      channel,
      sentAt: this.#tick(),
      answeredAt: Number.NaN,
      restoreSentAt: Number.NaN,
      restoredAt: Number.NaN,
    };
    this.withdrawals.push(withdrawal);
    await this.#patch(key, channel === "all" ? { enabled: false } : { channels: this.#rules(key, channel) });
    withdrawal.answeredAt = this.#tick();
  }

  async restore(key: number): Promise<void> {
    const withdrawal = this.withdrawals.findLast((one) => one.key === key);
    if (withdrawal === undefined || !Number.isNaN(withdrawal.restoreSentAt)) return;
    withdrawal.restoreSentAt = this.#tick();
    await this.#patch(key, { enabled: true, channels: this.#rules(key, undefined) });
    withdrawal.restoredAt = this.#tick();
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
}
