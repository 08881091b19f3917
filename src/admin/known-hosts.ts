import { isIP, isIPv6 } from "node:net";

export type KnownHosts = { readonly adminHost: string; readonly adminOrigin: string | undefined };

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/;

/**
 * Whether a Host header names this listener. A page of another site that has its own name resolve to this machine (DNS rebinding)
 * sends that name: known are localhost, the configured names, and every address, since an address cannot be made to point
 * elsewhere. The port is not compared: an attacker could not choose it, and a tunnel may.
 */
export function createHostCheck({
  adminHost,
  adminOrigin,
}: KnownHosts): (host: string | undefined) => boolean {
  const names = new Set(["localhost", adminHost.toLowerCase()]);
  if (adminOrigin !== undefined) names.add(new URL(adminOrigin).hostname);
  return (host = "") => {
    const name = HOST.exec(host.toLowerCase())?.[1];
    if (name === undefined) return false;
    return name.startsWith("[") ? isIPv6(name.slice(1, -1)) : isIP(name) !== 0 || names.has(name);
  };
}
