/** What a decoded value about takes in memory: enough to bound it, without encoding it. */
export function roughSize(value: unknown): number {
  if (typeof value === "string") return 48 + value.length * 2;
  if (typeof value !== "object" || value === null) return 16;
  if (ArrayBuffer.isView(value)) return 100 + value.byteLength;
  if (value instanceof ArrayBuffer) return 100 + value.byteLength;
  let bytes = 64;
  for (const key in value) bytes += 32 + key.length + roughSize(Reflect.get(value, key));
  return bytes;
}
