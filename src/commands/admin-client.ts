import { CommandError } from "./command-error.ts";

const DEFAULT_URL = "http://127.0.0.1:8081";
const TIMEOUT_MS = 10_000;

/** The options that every command takes which talks to a running server. */
export const CONNECTION_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
} as const;

export type AdminAnswer = { readonly status: number; readonly body: unknown };

export type AdminRequest = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The admin API of a running server, by URL and token from flags or the environment. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string;

  /** @throws CommandError when there is no token or the URL is none. */
  constructor(
    flags: { url?: string | undefined; token?: string | undefined },
    environment: NodeJS.ProcessEnv,
  ) {
    const url = flags.url ?? environment["SLUICE_ADMIN_URL"] ?? DEFAULT_URL;
    const token = flags.token ?? environment["SLUICE_ADMIN_TOKEN"];
    if (!URL.canParse(url)) throw new CommandError(`"${url}" is not the URL of an admin listener`, 2);
    if (token === undefined || token === "") {
      throw new CommandError(
        "no admin token: give --token or set SLUICE_ADMIN_TOKEN (the first start of the server showed it)",
        2,
      );
    }
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /** @throws CommandError when the server cannot be reached or refuses. */
  async call(path: string, request: AdminRequest = {}): Promise<unknown> {
    const { method = "GET", body, headers = {} } = request;
    let response: Response;
    try {
      response = await fetch(`${this.#url}/admin/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: "error",
      });
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new CommandError(`no server answers at ${this.#url} (${cause}): start one, or give --url`);
    }
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer;
    throw new CommandError(describe(response.status, answer));
  }
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
  const detail = stringAt(problem, "detail") ?? `the server answered ${status}`;
  const code = stringAt(problem, "code");
  const lines = [code === undefined ? detail : `${detail} (${code})`];
  const faults =
    typeof problem === "object" && problem !== null && "faults" in problem ? problem.faults : undefined;
  if (Array.isArray(faults)) {
    for (const fault of faults)
      lines.push(`  ${stringAt(fault, "pointer") ?? ""}: ${stringAt(fault, "message") ?? ""}`);
  }
  return lines.join("\n");
}

/** A string member of something unknown. */
export function stringAt(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const member: unknown = Reflect.get(value, name);
  return typeof member === "string" ? member : undefined;
}
