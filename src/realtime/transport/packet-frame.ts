const FIN = 0x80;
const TEXT = 0x1;
const BINARY = 0x2;

/** Engine.IO's packet type `message`, which precedes a text and is left out before binary. */
const MESSAGE = 0x34;

/**
 * The WebSocket frames (RFC 6455, section 5.2, unmasked) of Engine.IO messages, one after the other in one
 * buffer: a text each, or binary.
 */
export function frameOf(packets: readonly (string | Buffer)[]): Buffer {
  const [first] = packets;
  if (packets.length === 1 && typeof first === "string") return frameOfText(first);
  return Buffer.concat(
    packets.map((packet) => (typeof packet === "string" ? frameOfText(packet) : frameOfBinary(packet))),
  );
}

/** Of one text. */
export function frameOfText(text: string): Buffer {
  const byteLength = Buffer.byteLength(text) + 1;
  const { frame, at } = begin(TEXT, byteLength);
  frame[at] = MESSAGE;
  frame.write(text, at + 1);
  return frame;
}

function frameOfBinary(data: Buffer): Buffer {
  const { frame, at } = begin(BINARY, data.length);
  data.copy(frame, at);
  return frame;
}

/** A frame with its head written; its body begins at `at`. */
function begin(opcode: number, byteLength: number): { frame: Buffer; at: number } {
  const at = byteLength < 126 ? 2 : byteLength < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(at + byteLength);
  frame[0] = FIN | opcode;
  if (at === 2) {
    frame[1] = byteLength;
  } else if (at === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(byteLength, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(byteLength, 6);
  }
  return { frame, at };
}
