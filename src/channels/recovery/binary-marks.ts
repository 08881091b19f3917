/** Whether a shallow value holds an object that Socket.IO's decoder takes for the mark of an attachment. */
export function isMarked(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return false;
  if ("_placeholder" in value && value._placeholder === true) return true;
  for (const key in value) if (isMarked(Reflect.get(value, key))) return true;
  return false;
}
