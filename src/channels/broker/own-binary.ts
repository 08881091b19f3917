/**
 * A decoded message whose binary values are copied out of the larger buffers that they lie in. ws hands out views of the 64 KiB
 * chunks that it read, and Node's short buffers share a pool: whoever keeps one byte of it keeps all of it. What holds them is
 * changed in place, since nobody else has it.
 */
export function withOwnBinary(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) return value;
  if (ArrayBuffer.isView(value)) {
    if (value.byteLength === value.buffer.byteLength) return value;
    const own = Buffer.allocUnsafeSlow(value.byteLength);
    own.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return own;
  }
  for (const key in value) {
    const inner: unknown = Reflect.get(value, key);
    const own = withOwnBinary(inner);
    if (own !== inner) Reflect.set(value, key, own);
  }
  return value;
}
