import type { IncomingMessage } from "node:http";
import type { Config } from "../config/config.ts";
import type { Logger } from "../observe/log.ts";
import {
  type AddressFault,
  createAddressResolver,
  type Network,
  NetworkSet,
  parseNetwork,
} from "../policy/index.ts";

type Settings = Pick<Config, "trustedProxies" | "forwardedHeader">;

/** What a wrong set-up of a proxy shows, each said once. `no_header`: a trusted proxy does not say where a request comes from. */
type ProxySign = AddressFault | "no_header";

/** The one client address, for HTTP requests, upgrades and polls alike. */
export function createAddressOf(config: Settings, log: Logger): (request: IncomingMessage) => string | null {
  const { trustedProxies, forwardedHeader } = config;
  const resolve = createAddressResolver({ proxies: trustedProxies, header: forwardedHeader });
  const isProxy = proxyTest(trustedProxies);
  const said = new Set<ProxySign>();
  const say = (sign: ProxySign, peer: string | null): void => {
    said.add(sign);
    const text = explain(sign, forwardedHeader);
    if (text !== undefined) log.warn({ peer }, text);
  };
  return ({ socket, headers }) => {
    const remoteAddress = socket.remoteAddress ?? null;
    const { address, fault } = resolve({ remoteAddress, headers });
    if (fault !== null) {
      if (!said.has(fault)) say(fault, remoteAddress);
    } else if (
      headers[forwardedHeader] === undefined &&
      !said.has("no_header") &&
      remoteAddress !== null &&
      isProxy(remoteAddress)
    ) {
      say("no_header", remoteAddress);
    }
    return address;
  };
}

function explain(sign: ProxySign, header: string): string | undefined {
  switch (sign) {
    case "undeclared_proxy":
      return "a proxy on this machine forwards requests, but trustedProxies does not name it: clients have no address";
    case "no_header":
      return `a call came from an address of trustedProxies without ${header}: if a proxy is there, it does not set that header, and a client that sends one itself may claim any address. Let the proxy set it`;
    case "other_header":
      return `a proxy of trustedProxies sends another forwarding header than ${header}: clients have no address. Let the proxy set ${header}, or name its header in forwardedHeader`;
    case "malformed":
      return `a proxy of trustedProxies sent a ${header} that cannot be read: that client has no address. The proxy should set it, not pass on what clients write`;
    default:
      return undefined;
  }
}

/** Whether an address is one of a trusted proxy. Entries that cannot be read have stopped the start before. */
export function proxyTest(entries: readonly string[]): (address: string) => boolean {
  const networks = entries
    .map((entry) => parseNetwork(entry.trim()))
    .filter((network): network is Network => typeof network !== "string");
  if (networks.length === 0) return () => false;
  const proxies = new NetworkSet(networks);
  return (address) => proxies.test(address) === 1;
}
