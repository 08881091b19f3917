import { connect } from "node:net";
import { expect } from "chai";
import { fastify } from "fastify";
import { EventStream } from "../../src/admin/event-stream.ts";

describe("an event stream", () => {
  it("cuts off a reader that does not read, instead of keeping what it is sent", async () => {
    const app = fastify();
    let open: ((stream: EventStream) => void) | undefined;
    const opened = new Promise<EventStream>((resolve) => {
      open = resolve;
    });
    app.get("/", async (_request, reply) => {
      open?.(new EventStream(reply));
      return reply;
    });
    const { port } = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const stream = await opened;
    const closed = new Promise<void>((resolve) => stream.onClose(resolve));
    const text = "x".repeat(100_000);
    let sentBytes = 0;
    // The kernel takes some megabytes for a reader on this machine.
    while (stream.isOpen && sentBytes < 100_000_000) {
      stream.send("message", { text });
      sentBytes += text.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stream.isOpen).to.equal(false);
    await closed;
    stream.send("message", { text });
    stream.end("server_shutdown");
    socket.destroy();
    await app.close();
  });
});
