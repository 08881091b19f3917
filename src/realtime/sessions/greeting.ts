import type { Socket } from "socket.io";
import { frameOfText } from "../transport/packet-frame.ts";
import type { EngineSession } from "./engine-session.ts";

/** Socket.IO's packet type of an event; of one without binary its data follow as JSON, in the root namespace. */
const EVENT = "2";

/** Sends a connection its first event, which has no binary. */
export type Greeting = (socket: Socket, session: EngineSession, eventName: string, payload: object) => void;

/**
 * The first event goes right behind CONNECT, in one write with it, where engine.io would wait until CONNECT has been
 * written. With a `fault` of the seam it takes the ordinary way.
 */
export function createGreeting(fault: string | undefined): Greeting {
  if (fault !== undefined)
    return (socket, _session, eventName, payload) => void socket.emit(eventName, payload);
  return (socket, { wire }, eventName, payload) => {
    if (wire?.isInOrder === true) wire.write(frameOfText(`${EVENT}${JSON.stringify([eventName, payload])}`));
    else socket.emit(eventName, payload);
  };
}
