import type { Socket as EngineSocket } from "engine.io";
import type { EngineSession } from "./engine-session.ts";

type Packet = { readonly type: string; readonly data?: unknown };

/** What every connection's session hears of its engine connection: the same functions for all, not some for each. */
export class SessionListeners {
  readonly #onPacket: (this: EngineSocket, packet: Packet) => void;
  readonly #onUpgrade: (this: EngineSocket) => void;
  readonly #onPacketCreate: (this: EngineSocket, packet: Packet) => void;

  constructor(sessionOf: (conn: EngineSocket) => EngineSession | undefined) {
    this.#onPacket = function onPacket({ type, data }) {
      sessionOf(this)?.receive(type, data);
    };
    this.#onUpgrade = function onUpgrade() {
      sessionOf(this)?.upgraded();
    };
    this.#onPacketCreate = function onPacketCreate({ data }) {
      sessionOf(this)?.beforeQueued(data);
    };
  }

  listen(conn: EngineSocket): void {
    // Before `data`, which Socket.IO listens to: the session does it in its place, when there is room.
    conn.on("packet", this.#onPacket);
    conn.on("packetCreate", this.#onPacketCreate);
    if (conn.transport.name === "polling") conn.once("upgrade", this.#onUpgrade);
  }
}
