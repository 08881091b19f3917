/** The three listeners, by the settings that place them. */
export type ListenerName = "public" | "admin" | "metrics";

const REASONS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "no such host is known here",
  EAI_AGAIN: "the host's name cannot be looked up now",
  EACCES: "this user may not listen on that port",
  EAFNOSUPPORT: "this machine has no addresses of that kind",
  EINVAL: "the address cannot be listened on; one of a link (fe80::…) needs its zone, as in fe80::1%eth0",
};

/** A listener that cannot listen: the message says where, and why, in a sentence. `code` and `port` are the system's. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly listener: ListenerName;
  readonly port: number;
  readonly code: string | undefined;

  constructor(listener: ListenerName, host: string, port: number, cause: unknown) {
    const code =
      cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
    const reason = REASONS[code ?? ""] ?? (cause instanceof Error ? cause.message : String(cause));
    super(
      code === "EADDRINUSE"
        ? `port ${port} is taken`
        : `the ${listener} listener cannot listen on ${host}, port ${port}: ${reason}`,
      { cause },
    );
    this.listener = listener;
    this.port = port;
    this.code = code;
  }
}

/** Listen. @returns the URL, without the zone of an address (fe80::1%eth0), which no URL has. @throws ListenError */
export async function listenOn(
  app: { listen(options: { readonly host: string; readonly port: number }): Promise<string> },
  listener: ListenerName,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    return (await app.listen({ host, port })).replace(/%[^\]]*\]/, "]");
  } catch (error) {
    throw new ListenError(listener, host, port, error);
  }
}
