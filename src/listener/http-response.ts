import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TcpConnection } from "./tcp-connection.ts";

/** A response whose bytes are counted as long as the system has not taken them. Most answers are taken at once, which costs one comparison. */
export class HttpResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** The connection that it is sent on, from the moment its request begins. */
  tcp: TcpConnection | undefined = undefined;

  override write(...args: unknown[]): boolean {
    const isRoom: boolean = Reflect.apply(super.write, this, args);
    if (this.writableLength > 0) this.tcp?.countUnsent();
    return isRoom;
  }

  override end(...args: unknown[]): this {
    Reflect.apply(super.end, this, args);
    if (this.writableLength > 0) this.tcp?.countUnsent();
    return this;
  }

  /** Node calls it when the system has the answer. The connection keeps nothing of what was answered; who did not read a body does not any more. */
  override detachSocket(socket: Socket): void {
    super.detachSocket(socket);
    const { tcp, req } = this;
    if (tcp?.response !== this) return;
    tcp.response = undefined;
    tcp.isBodyUnread = !req.complete;
    if (tcp.isBodyUnread) req.resume();
  }
}
