import { Socket } from "node:net";
import type { Duplex } from "node:stream";

type Part = { readonly frame: Buffer };

const SLAB_BYTES = 16 * 1024;

/** What is written to one connection alone goes through here; `used` is what connections still read from. */
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;
/** The views of the slab's rest by their length, while that begins where it does: many writes are of the same few lengths. */
const views = new Map<number, Buffer>();
const MAX_VIEWS = 256;

/**
 * Write several frames at once. A TCP connection whose reader keeps up has taken them when `write` returns (libuv tries to write
 * before it queues), and their memory is used again for the next one: thousands of members that each get a write of their
 * own leave nothing to collect. What a connection could not take yet is left to it, and the next write goes behind it.
 */
export function writeJoined(tcp: Duplex, parts: readonly Part[]): void {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    // Others may be sent the same.
    tcp.write(only.frame);
    return;
  }
  let size = 0;
  for (const { frame } of parts) size += frame.length;
  if (size > SLAB_BYTES / 2 || !isPlain(tcp)) {
    tcp.write(
      Buffer.concat(
        parts.map(({ frame }) => frame),
        size,
      ),
    );
    return;
  }
  if (size > SLAB_BYTES - used) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
    views.clear();
  }
  let at = used;
  for (const { frame } of parts) {
    slab.set(frame, at);
    at += frame.length;
  }
  tcp.write(viewOf(size));
  if (tcp.writableLength === 0) return;
  used = at;
  views.clear();
}

function viewOf(size: number): Buffer {
  const known = views.get(size);
  if (known !== undefined) return known;
  const view = slab.subarray(used, used + size);
  if (views.size >= MAX_VIEWS) views.clear();
  views.set(size, view);
  return view;
}

/** Other streams may keep what they were given although they have called back. */
function isPlain(tcp: Duplex): boolean {
  return Object.getPrototypeOf(tcp) === Socket.prototype;
}
