import type { Socket as EngineSocket } from "engine.io";
import type { EngineSession } from "./engine-session.ts";

/** What every connection's session hears of its engine connection: the same functions for all, not some for each. */
export class SessionListeners {
  readonly #onData: (this: EngineSocket, data: unknown) => void;
  readonly #onUpgrade: (this: EngineSocket) => void;
  readonly #onPacket: (this: EngineSocket, packet: { data?: unknown }) => void;

  constructor(sessionOf: (conn: EngineSocket) => EngineSession | undefined) {
    this.#onData = function onData(data) {
      sessionOf(this)?.inspect(data);
    };
    this.#onUpgrade = function onUpgrade() {
      sessionOf(this)?.upgraded();
    };
    this.#onPacket = function onPacket({ data }) {
      sessionOf(this)?.beforeQueued(data);
    };
  }

  listen(conn: EngineSocket): void {
    conn.on("data", this.#onData);
    conn.on("packetCreate", this.#onPacket);
    if (conn.transport.name === "polling") conn.once("upgrade", this.#onUpgrade);
  }
}
