import type { Namespace, Socket } from "socket.io";
import { createEncoder, wireOf } from "./engine-seam.ts";
import { frameOf } from "./packet-frame.ts";

/** Sends a connection its first event. */
export type Greeting = (socket: Socket, eventName: string, payload: object) => void;

/**
 * The first event goes right behind CONNECT, in one write with it, where engine.io would wait until CONNECT has been
 * written. With a `fault` of the seam it takes the ordinary way.
 */
export function createGreeting(namespace: Namespace, fault: string | undefined): Greeting {
  if (fault !== undefined) return (socket, eventName, payload) => void socket.emit(eventName, payload);
  const encode = createEncoder(namespace);
  return (socket, eventName, payload) => {
    const wire = wireOf(socket.conn);
    const [text] = wire?.isInOrder === true ? encode(eventName, payload) : [];
    if (typeof text === "string") wire?.write(frameOf([text]));
    else socket.emit(eventName, payload);
  };
}
