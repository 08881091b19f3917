/** Whom that is charged to that the server does by itself: its own handlers, and its operators. */
export const SERVER_OWNER = "";

/**
 * Who is charged for what is kept: the key, or where none is required the address group. Names of address groups have a
 * blank, which no id of a key has.
 */
export function ownerOf(keyId: string | null | undefined, addressGroup: string): string {
  return keyId ?? `address ${addressGroup}`;
}
