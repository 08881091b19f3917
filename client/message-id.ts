/** Works on pages without TLS too, where `crypto.randomUUID` is missing, and where there is no `crypto` at all. */
export function randomMessageId(): string {
  const bytes = new Uint8Array(16);
  const { crypto } = globalThis;
  if (typeof crypto?.getRandomValues === "function") crypto.getRandomValues(bytes);
  // An id has to be unlikely to be used twice, not secret.
  else for (let i = 0; i < bytes.length; i += 1) bytes[i] = Math.floor(Math.random() * 256);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
