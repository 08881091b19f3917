import type { Traffic } from "../../observe/traffic.ts";
import type { Position } from "../../protocol/index.ts";
import type { ChannelSettings } from "../broker/channel-settings.ts";
import type { RoomBudgets } from "./rooms.ts";

export type JoinOptions = {
  readonly echo: boolean;
  /** May it hear who comes and goes? Asked when it is a member: a right may end while it is being replayed to. */
  readonly watch: () => boolean;
  /** What the client has heard of the channel: it wants what came since. */
  readonly since?: Position | undefined;
  /** Without it, `since` reaches no further back than the client's own membership. Asked again after each wait. */
  readonly mayReadHistory?: () => boolean;
};

/** Where a member stands. `recovered`: with `since`, and nothing between is missing. */
export type Joined = Position & { readonly recovered: boolean };

export type HubOptions = {
  /** Hears of announcements that the broker did not take after the member was already gone. */
  readonly onFault: (error: unknown) => void;
  /**
   * Send one connection what is replayed to it alone, before anything that is sent to it later. @returns undefined when more
   * may follow at once, else resolves when the connection has read of it, or is gone.
   */
  readonly deliver: (connectionId: string, eventName: string, payload: unknown) => Promise<void> | undefined;
  /** For work in many steps that one request of an owner sets off. @returns undefined while it may go on, else resolves when it may */
  readonly untilTurn?: ((owner: string) => Promise<void> | undefined) | undefined;
  readonly channels?: readonly ChannelSettings[];
  /** Of each connection; 0, the default: no limit. */
  readonly maxPresenceDeliveriesPerSecond?: number;
  /** What telling of presence may cost in a turn of the event loop, where it is not the default. */
  readonly presenceCostPerTurn?: number;
  readonly traffic?: Traffic;
  /** Without them there is no limit. */
  readonly budgets?: RoomBudgets;
};
