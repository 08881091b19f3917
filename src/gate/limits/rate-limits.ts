import { addressGroup, type Check, type Limit } from "../../policy/index.ts";
import { type LimitState, type Refusal, refuse } from "../../protocol/index.ts";
import type { Budget, BudgetUse, Counters } from "./counters.ts";

/** Whom a call is counted for. Over HTTP there is neither a connection nor a client. */
export type Caller = {
  readonly ip: string | null;
  readonly connectionId?: string | undefined;
  readonly clientId?: string | undefined;
};

type Verdict = { readonly allowed: true } | Refusal;

/** What the limits say to a call, with their state after it. */
export type Charge = Verdict & {
  /** Absent where no limit counts. */
  readonly limits?: readonly LimitState[];
  /** The call was refused later on, so it is not counted. */
  readonly giveBack?: () => Promise<void>;
};

/** Do what was charged for. What fails is not counted. */
export async function redeem<T>({ giveBack }: Pick<Charge, "giveBack">, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    await giveBack?.();
    throw error;
  }
}

/** A key's named limits on the calls of one key, wherever they come in. */
export class RateLimits {
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Count one call in every limit; if one of them is used up, in none. */
  async charge(keyId: string, limits: readonly Limit[], caller: Caller): Promise<Charge> {
    const { isSpent, uses, giveBack } = await this.#counters.spend(budgetsOf(keyId, limits, caller));
    const states = statesOf(limits, uses);
    return isSpent
      ? { allowed: true, limits: states, giveBack }
      : { ...refusalOf(limits, states), limits: states };
  }

  /** Count what may always be done: in each limit that is not used up. */
  async count(keyId: string, limits: readonly Limit[], caller: Caller): Promise<void> {
    for (const limit of limits) await this.#counters.spend(budgetsOf(keyId, [limit], caller));
  }

  /** What `charge` would say, with a check for each limit; nothing is counted. Without a key nothing was. */
  async explain(
    keyId: string | null,
    limits: readonly Limit[],
    caller: Caller,
  ): Promise<{ readonly verdict: Verdict; readonly checks: readonly Check[] }> {
    if (limits.length === 0) {
      return {
        verdict: { allowed: true },
        checks: [{ check: "limit", passed: true, message: "the key has no limits" }],
      };
    }
    const uses = keyId === null ? [] : await this.#counters.read(budgetsOf(keyId, limits, caller));
    const states = statesOf(limits, uses);
    const isFull = states.some(({ remaining }) => remaining === 0);
    return {
      verdict: isFull ? refusalOf(limits, states) : { allowed: true },
      checks: limits.map((limit, index) => checkOf(limit, states[index], caller)),
    };
  }

  close(): Promise<void> {
    return this.#counters.close();
  }
}

/**
 * A counter belongs to the limit's name, kind, scope and window: an edit of `limit` goes on with what was used, an edit of the
 * others begins anew.
 */
function budgetsOf(keyId: string, limits: readonly Limit[], caller: Caller): Budget[] {
  return limits.map(({ name, limit, windowSeconds, per, kind = "calls" }) => ({
    table: `${name}/${kind}/${per}/${windowSeconds}/${keyId}`,
    partition: partitionOf(per, caller),
    limit,
    windowSeconds,
  }));
}

function partitionOf(per: Limit["per"], { ip, connectionId, clientId }: Caller): string {
  if (per === "key") return "";
  if (per === "connection" && connectionId !== undefined) return `connection ${connectionId}`;
  if (per === "client" && clientId !== undefined) return `client ${clientId}`;
  return `address ${addressGroup(ip)}`;
}

function statesOf(limits: readonly Limit[], uses: readonly BudgetUse[]): LimitState[] {
  return limits.map(({ name, limit, windowSeconds }, index) => {
    const { used = 0, resetMs = windowSeconds * 1000 } = uses[index] ?? {};
    return { name, limit, windowSeconds, remaining: Math.max(0, limit - used), resetMs };
  });
}

/** Names every limit that is used up, and when the last of them begins anew. */
function refusalOf(limits: readonly Limit[], states: readonly LimitState[]): Refusal {
  const full = limits.filter((_, index) => states[index]?.remaining === 0);
  const afterMs = Math.max(1, ...states.map(({ remaining, resetMs }) => (remaining === 0 ? resetMs : 0)));
  const names = full.map(
    ({ name, limit, windowSeconds, per, kind = "calls" }) =>
      `"${name}" (${limit} ${kind} in ${windowSeconds} s per ${per})`,
  );
  const message = `this key's limit ${names.join(" and ")} is used up: try again in ${afterMs} ms`;
  return refuse("rate_limit_exceeded", message, afterMs);
}

function checkOf({ name, limit, per }: Limit, state: LimitState | undefined, { ip }: Caller): Check {
  const { remaining = limit, resetMs = 0 } = state ?? {};
  const passed = remaining > 0;
  const whose = per === "key" ? "the whole key" : `the address ${addressGroup(ip)}`;
  const used = `"${name}": ${whose} has used ${limit - remaining} of ${limit}`;
  return { check: "limit", passed, message: passed ? used : `${used}: try again in ${resetMs} ms` };
}
