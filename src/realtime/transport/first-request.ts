import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

/**
 * Stands for the first request of everyone. Engine.IO keeps it for as long as the connection lives, and Socket.IO makes its
 * handshake of it: the key must not live there, and the rest is not worth its memory.
 */
export const firstRequest = new IncomingMessage(new Socket());
