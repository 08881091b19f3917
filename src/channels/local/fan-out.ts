/**
 * How the hub reaches this node's connections. The hub decides who hears what; an implementation only
 * carries it, in the order of the calls. A payload must not be changed after it was handed over.
 */
export interface FanOut {
  /** From now on the connection hears broadcasts, to everyone and to its key. Null: it came without one. */
  admit(connectionId: string, keyId: string | null): void;
  /** From now on the connection hears nothing that is sent through the hub. */
  dismiss(connectionId: string): void;
  /** The connection hears the channel's messages. */
  attach(connectionId: string, channel: string): void;
  detach(connectionId: string, channel: string): void;
  /** The connection hears who comes and goes in the channel. */
  watch(connectionId: string, channel: string): void;
  unwatch(connectionId: string, channel: string): void;

  toMembers(channel: string, eventName: string, payload: unknown, exceptId?: string): void;
  /** @returns the bytes that each of them is sent, where they are known. */
  toWatchers(channel: string, eventName: string, payload: unknown, exceptId?: string): number;
  toEveryone(eventName: string, payload: unknown, exceptId?: string): void;
  /** To the connections of one key, or to those without a key. @returns how many. */
  toKey(keyId: string | null, eventName: string, payload: unknown, exceptId?: string): number;
}
