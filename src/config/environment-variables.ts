type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "SLUICE_";

/** Of the command line and of nothing that a server reads. */
const COMMANDS_VARIABLES: ReadonlySet<string> = new Set(["SLUICE_ADMIN_URL"]);

/** What a `…_PORT` holds that Kubernetes or Docker wrote for a Service, or a linked container, with the name of this product. */
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\/[^/]+:[0-9]+$/i;

/**
 * The other variables of a Service (kubernetes.io/docs/concepts/services-networking/service, environment variables) and of a
 * container link: `_SERVICE_HOST`, `_SERVICE_PORT`, `_SERVICE_PORT_HTTP`, `_PORT_80_TCP`, `_PORT_80_TCP_ADDR`.
 */
const OF_SERVICE =
  /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR|START|END))*)$/;
const OF_LINK = /^SLUICE(_[A-Z0-9_]+)?_(NAME$|ENV_)/;

/**
 * The variables of a server's environment that name settings, without the empty ones and without those that Kubernetes sets
 * for a Service called `sluice` or `sluice-…`, whose names can be those of settings.
 */
export function settingVariables(
  environment: Environment,
  settings: Readonly<Record<string, unknown>>,
): { readonly known: ReadonlyMap<string, string>; readonly unknown: readonly string[] } {
  const known = new Map<string, string>();
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === "" || isOfService(name, text)) continue;
    if (Object.hasOwn(settings, name)) known.set(name, text);
    else if (!COMMANDS_VARIABLES.has(name)) unknown.push(name);
  }
  return { known, unknown };
}

function isOfService(name: string, text: string): boolean {
  if (name.endsWith("_PORT") && SERVICE_ADDRESS.test(text)) return true;
  return OF_SERVICE.test(name) || (OF_LINK.test(name) && (name.includes("_ENV_") || text.startsWith("/")));
}
