/** A CONNECT packet is `0`, then `/namespace,` if it is not the root, then the `auth` as JSON. */
export const CONNECT = "0";

/** Of a CONNECT: its namespace, shortened if it is long, and the text of its `auth`. */
export function splitConnect(data: string): { namespace: string; auth: string } {
  if (data.charAt(1) !== "/") return { namespace: "/", auth: data.slice(1) };
  const comma = data.indexOf(",");
  if (comma === -1) return { namespace: data.slice(1, 200), auth: "" };
  return { namespace: data.slice(1, Math.min(comma, 200)), auth: data.slice(comma + 1) };
}

/** An object, or nothing. */
export function isAuth(text: string): boolean {
  if (text === "") return true;
  try {
    const auth: unknown = JSON.parse(text);
    return typeof auth === "object" && auth !== null && !Array.isArray(auth);
  } catch {
    return false;
  }
}
