import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect } from "chai";
import { writeJoined } from "../../../src/realtime/transport/joined-write.ts";

/** Both ends of a TCP connection; the far one reads when it is told to. */
type Pair = { readonly near: Socket; readonly far: Socket; readonly sent: Buffer[] };

describe("frames of one member that are written together", () => {
  let server: Server;
  const open: Socket[] = [];
  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    server.close();
    await once(server, "close");
  });

  const pair = async (): Promise<Pair> => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    const [accepted, near] = [once(server, "connection"), connect(address.port, "127.0.0.1")];
    const [far] = await accepted;
    if (!(far instanceof Socket)) throw new Error("no socket");
    open.push(near, far);
    if (near.connecting) await once(near, "connect");
    return { near, far, sent: [] };
  };

  /** All that its far end reads until what was sent has come. */
  const arrived = async ({ far, sent }: Pair): Promise<Buffer> => {
    const length = Buffer.concat(sent).length;
    const chunks: Buffer[] = [];
    let bytes = 0;
    return new Promise((resolve, reject) => {
      far.on("error", reject);
      far.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= length) resolve(Buffer.concat(chunks));
      });
      far.resume();
    });
  };

  let serial = 0;
  const say = ({ near, sent }: Pair, sizes: readonly number[]): void => {
    const parts = sizes.map((size) => {
      serial += 1;
      return { frame: Buffer.alloc(size, `${serial}.`) };
    });
    sent.push(...parts.map(({ frame }) => Buffer.from(frame)));
    writeJoined(near, parts);
  };

  it("reach a reader as they are, while readers that have stopped are still owed theirs", async () => {
    const [reader, ...stalled] = [await pair(), await pair(), await pair(), await pair()];
    const readerHas = arrived({ ...reader, sent: [Buffer.alloc(1_200 * 900)] });
    // More than the system takes for one that does not read.
    for (const one of stalled) one.sent.push(Buffer.alloc(8_000_000, "full"));
    for (const { near, sent } of stalled) near.write(sent[0] ?? "");
    for (let round = 0; round < 1_200; round += 1) {
      const of = stalled[round % stalled.length];
      if (of !== undefined && round % 3 === 0) say(of, [10, 700, 1 + (round % 300)]);
      say(reader, [200, 300, 400]);
      if (round % 50 === 0) await new Promise(setImmediate);
    }
    for (const { near } of stalled) expect(near.writableLength).to.be.above(100_000);
    expect((await readerHas).equals(Buffer.concat(reader.sent))).to.equal(true);
    for (const one of stalled) {
      expect((await arrived(one)).equals(Buffer.concat(one.sent))).to.equal(true);
    }
  });

  it("are as long as they are: a little, more than is kept for them, and nothing of it twice", async () => {
    const one = await pair();
    for (const sizes of [[1], [8_192], [4_000, 4_193], [16_384], [100_000, 1], [3, 3, 3], [8_000], [8_000]])
      say(one, sizes);
    expect((await arrived(one)).equals(Buffer.concat(one.sent))).to.equal(true);
  });

  it("have memory of their own on a stream that may keep what it is given", () => {
    const kept: Buffer[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        kept.push(chunk);
        done();
      },
    });
    writeJoined(stream, [{ frame: Buffer.from("a") }, { frame: Buffer.from("b") }]);
    writeJoined(stream, [{ frame: Buffer.from("c") }]);
    expect(Buffer.concat(kept).toString()).to.equal("abc");
    stream.destroy();
  });
});
