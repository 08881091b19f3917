import { FairBudget } from "../../src/lib/fair-budget.ts";
import { createApp, TcpConnections, type TcpLimits } from "../../src/listener/index.ts";
import { createLogger } from "../../src/observe/log.ts";

type App = ReturnType<typeof createApp>;

/** A listener with limits of its own; `add` gives it routes. Close the app in the same test. */
export async function listen(
  limits: Partial<TcpLimits>,
  add: (app: App) => void,
): Promise<{ app: App; connections: TcpConnections; unsent: FairBudget; port: number }> {
  const log = createLogger("silent");
  const unsent = limits.unsent ?? new FairBudget(64 * 1024 * 1024);
  const connections = new TcpConnections({
    maxConnections: 100,
    maxUnprovenPerAddress: 100,
    isProxy: () => false,
    stalledAnswerMs: 10_000,
    log,
    ...limits,
    unsent,
  });
  const app = createApp({ log, connections, isCrossOrigin: true });
  add(app);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { app, connections, unsent, port: Number(new URL(url).port) };
}
