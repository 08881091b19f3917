import { ask } from "./admin-request.ts";
import { CommandError } from "./command-error.ts";
import { readContext } from "./context.ts";
import { printableLine } from "./printable.ts";

const DEFAULT_URL = "http://127.0.0.1:8081";

/** The options that every command takes which talks to a running server. */
export const CONNECTION_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
} as const;

export type ConnectionFlags = { readonly url?: string | undefined; readonly token?: string | undefined };

export type AdminRequest = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** What the server is doing, for work whose length nobody knows: it has no limit of time, and shows that it goes on. */
  readonly longWork?: string;
};

/** The admin API of a running server, by URL and token from flags, the environment or the saved context. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /**
   * From flags, else the environment, else the saved context.
   * @throws CommandError when there is no token or the URL is none.
   */
  static async open(flags: ConnectionFlags, environment: NodeJS.ProcessEnv): Promise<AdminClient> {
    const named = flags.url ?? environment["SLUICE_ADMIN_URL"];
    const given = flags.token ?? environment["SLUICE_ADMIN_TOKEN"];
    const saved = named === undefined || given === undefined ? await readContext(environment) : undefined;
    const url = named ?? saved?.url ?? DEFAULT_URL;
    // A saved token is for the server it was saved with, and goes to no other.
    const own = named === undefined || isSameUrl(named, saved?.url ?? DEFAULT_URL) ? saved?.token : undefined;
    const token = given ?? own;
    assertUsable(url, token === "" ? undefined : token);
    if (token === undefined || token === "") {
      throw new CommandError(
        "no admin token: give --token, set SLUICE_ADMIN_TOKEN, or save it with sluice context --token (the first start of the server showed it)",
        2,
      );
    }
    warnOfPlainHttp(url);
    return new AdminClient(url.replace(/\/+$/, ""), token);
  }

  /** @throws CommandError when the server cannot be reached or refuses. */
  async call(path: string, request: AdminRequest = {}): Promise<unknown> {
    const { method = "GET", body, headers = {}, contentType = "application/json", longWork } = request;
    const { status, text } = await ask(new URL(`${this.#url}/admin/v1${path}`), {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        "x-sluice-client": "cli",
        ...(body === undefined ? {} : { "content-type": contentType }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(longWork === undefined ? {} : { longWork }),
    });
    const answer = parse(text);
    if (status >= 200 && status < 300) return answer;
    throw new CommandError(describe(status, answer));
  }
}

/** @throws CommandError for a URL or a token that no command could use. */
export function assertUsable(url: string | undefined, token: string | undefined): void {
  if (url !== undefined && !isAdminUrl(url))
    throw new CommandError("the URL of an admin listener is http://host:port, without a password", 2);
  // A header could not carry it, and the message that says so would show it.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new CommandError("the admin token has characters that no token has", 2);
}

/** Whether two URLs name one server: a slash at the end, letters of the host or a default port make no difference. */
export function isSameUrl(one: string, other: string | undefined): boolean {
  return other !== undefined && plainUrl(one) === plainUrl(other);
}

function plainUrl(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, "");
}

/** The token can do everything, and whoever is on the way reads it. */
function warnOfPlainHttp(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "http:" || isLoopback(hostname)) return;
  process.stderr.write(
    printableLine(
      `sluice: the admin token goes to ${hostname} unencrypted: use https, or a tunnel to the server's own machine`,
    ).concat("\n"),
  );
}

/** As the URL parser writes hosts: IPv4 in four decimal parts, IPv6 in brackets. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    /^127(\.[0-9]+){3}$/.test(hostname) ||
    hostname === "[::1]" ||
    /^\[::ffff:7f[0-9a-f]{2}:/.test(hostname)
  );
}

function isAdminUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}

/** A problem document as lines for a person, each fault with its place. */
function describe(status: number, problem: unknown): string {
  const detail = lineAt(problem, "detail") ?? `the server answered ${status}`;
  const code = lineAt(problem, "code");
  const lines = [code === undefined ? detail : `${detail} (${code})`];
  const faults =
    typeof problem === "object" && problem !== null && "faults" in problem ? problem.faults : undefined;
  if (Array.isArray(faults)) {
    for (const fault of faults)
      lines.push(`  ${lineAt(fault, "pointer") ?? ""}: ${lineAt(fault, "message") ?? ""}`);
  }
  return lines.join("\n");
}

function lineAt(value: unknown, name: string): string | undefined {
  const text = stringAt(value, name);
  return text === undefined ? undefined : printableLine(text);
}

/** A member of something unknown. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** A string member of something unknown. */
export function stringAt(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : undefined;
}
