/** Of the descriptors, what TCP connections of clients never take: store, log, admin listener, and what handlers open. */
const MIN_KEPT = 64;
const KEPT_SHARE = 1 / 8;

/** Of what is kept, the part that connections of the admin listener may take. */
const ADMIN_SHARE = 1 / 2;
const MAX_ADMIN = 512;

/** Of all connections, how many of one address may be open before a key was accepted on them: room is left for everybody else. */
const ADDRESS_SHARE = 3 / 4;

/** What a system that tells no limit is taken to have. */
const NOT_TOLD = 65_536;

/** How many TCP connections the public listener may hold under a limit of descriptors. */
export function publicShare(descriptorLimit = NOT_TOLD): number {
  return Math.max(8, descriptorLimit - keptOf(descriptorLimit));
}

/** How many the admin listener may hold. They come out of what the public one leaves, so no flood there takes them. */
export function adminShare(descriptorLimit = NOT_TOLD): number {
  return Math.floor(Math.min(MAX_ADMIN, keptOf(descriptorLimit) * ADMIN_SHARE));
}

/** How many unproven connections one address may have, of so many in all. */
export function addressShare(maxConnections: number): number {
  return Math.max(1, Math.floor(maxConnections * ADDRESS_SHARE));
}

function keptOf(descriptorLimit: number): number {
  return Math.max(MIN_KEPT, Math.ceil(descriptorLimit * KEPT_SHARE));
}
