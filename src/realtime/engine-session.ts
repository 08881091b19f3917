import type { Duplex } from "node:stream";
import type { Socket as EngineSocket } from "engine.io";
import type { Identity, PresentedKey } from "../gate.ts";
import { type Refusal, refuse } from "../protocol/index.ts";
import type { Slot } from "./admission.ts";

/** Where a request comes from: what the policy compares. */
export type Whence = { readonly origin: string | undefined; readonly ip: string | null };

export type EngineSessionOptions = {
  readonly conn: EngineSocket;
  readonly whence: Whence;
  readonly addressGroup: string;
  readonly slot: Slot;
  /** The key that came in the handshake's headers or query, until CONNECT uses it. */
  readonly presented: PresentedKey;
  /** The TCP connection of a WebSocket; polling has one per request. */
  readonly tcp: Duplex | undefined;
  readonly connectTimeoutMs: number;
};

/** How long a closing connection may take to read its last packets before its TCP connection is destroyed. */
const CLOSING_GRACE_MS = 1_000;

/** A CONNECT packet is `0`, then `/namespace,` if it is not the root, then the `auth` as JSON. */
const CONNECT = "0";

/**
 * One Engine.IO connection from its first request to its end: whether it has authenticated, where its
 * requests come from, and how it is closed so that nothing of it stays.
 */
export class EngineSession {
  readonly conn: EngineSocket;
  readonly addressGroup: string;
  /** By the request that carried CONNECT. */
  origin: string | undefined;
  /** By the latest request that was let through. */
  ip: string | null;
  state: "pending" | "connected" | "condemned" | "closing" = "pending";
  /** Says why and ends the connection that this session carries. */
  endWith: ((refusal: Refusal) => void) | undefined;
  identity: Identity | undefined;
  presented: PresentedKey | undefined;
  tcp: Duplex | undefined;
  readonly #slot: Slot;
  #timer: NodeJS.Timeout;
  #connects = 0;

  constructor(options: EngineSessionOptions) {
    this.conn = options.conn;
    this.addressGroup = options.addressGroup;
    this.origin = options.whence.origin;
    this.ip = options.whence.ip;
    this.presented = options.presented;
    this.tcp = options.tcp;
    this.#slot = options.slot;
    this.#timer = setTimeout(() => this.refuse(refuse("connect_timeout")), options.connectTimeoutMs);
    this.conn.on("data", (data: unknown) => this.#inspect(data));
  }

  /** CONNECT went through: the deadline ends, and the place among the strangers is free. */
  accept(): void {
    clearTimeout(this.#timer);
    this.state = "connected";
    this.presented = undefined;
    this.#slot.release();
  }

  /** It will be told and closed soon; until then it may fetch what it is told, and do nothing. */
  condemn(): void {
    if (this.state === "connected") this.state = "condemned";
  }

  /** Answer CONNECT with a refusal (`err.data` of `connect_error`), then end the connection. */
  refuse(refusal: Refusal, namespace = ""): void {
    if (this.state === "closing") return;
    const { code, message, status } = refusal;
    this.conn.send(`4${namespace}${JSON.stringify({ message, data: { code, message, status } })}`);
    this.end();
  }

  /** Close after what is queued was sent; what is not read in time is cut off. */
  end(): void {
    if (this.state === "closing") return;
    this.state = "closing";
    this.presented = undefined;
    clearTimeout(this.#timer);
    this.conn.close();
    this.#timer = setTimeout(() => {
      this.conn.close(true);
      this.tcp?.destroy();
    }, CLOSING_GRACE_MS);
    this.#timer.unref();
  }

  /** The connection is gone. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.state = "closing";
    this.presented = undefined;
    this.endWith = undefined;
    this.#slot.release();
  }

  /**
   * Look at the packets before Socket.IO does: a connection has one CONNECT, to the root namespace, with
   * an object or nothing as `auth`. Socket.IO would answer hundreds of them a second, or close without a word.
   */
  #inspect(data: unknown): void {
    if (typeof data !== "string" || !data.startsWith(CONNECT) || this.state === "closing") return;
    this.#connects += 1;
    const { namespace, auth } = splitConnect(data);
    if (namespace !== "/") {
      this.refuse(refuse("invalid_namespace"), `${namespace},`);
    } else if (this.#connects > 1) {
      this.end();
    } else if (!isAuth(auth)) {
      this.refuse(refuse("invalid_payload", "auth is an object, such as { apiKey }"));
    }
  }
}

function splitConnect(data: string): { namespace: string; auth: string } {
  if (data.charAt(1) !== "/") return { namespace: "/", auth: data.slice(1) };
  const comma = data.indexOf(",");
  if (comma === -1) return { namespace: data.slice(1, 200), auth: "" };
  return { namespace: data.slice(1, Math.min(comma, 200)), auth: data.slice(comma + 1) };
}

function isAuth(text: string): boolean {
  if (text === "") return true;
  try {
    const auth: unknown = JSON.parse(text);
    return typeof auth === "object" && auth !== null && !Array.isArray(auth);
  } catch {
    return false;
  }
}
