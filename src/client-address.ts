import type { IncomingMessage } from "node:http";
import type { Config } from "./config.ts";
import type { Logger } from "./observe/log.ts";
import { createAddressResolver } from "./policy/index.ts";

/** The one client address, for HTTP requests, upgrades and polls alike. */
export function createAddressOf(config: Config, log: Logger): (request: IncomingMessage) => string | null {
  const resolve = createAddressResolver({ proxies: config.trustedProxies, header: config.forwardedHeader });
  let saidSo = false;
  return (request) => {
    const { address, fault } = resolve({
      remoteAddress: request.socket.remoteAddress ?? null,
      headers: request.headers,
    });
    if (fault === "undeclared_proxy" && !saidSo) {
      saidSo = true;
      log.warn(
        "a proxy on this machine forwards requests, but trustedProxies does not name it: clients have no address",
      );
    }
    return address;
  };
}
