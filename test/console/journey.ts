import { expect } from "chai";
import { openBrowser } from "../helpers/browser.ts";
import { type ConsoleOptions, type ConsolePage, openConsole } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

export type Journey = {
  /** Of the whole suite. */
  readonly server: TestServer;
  /** Opens the console in a browser profile of its own, for the test that is running. */
  open(options?: ConsoleOptions): Promise<ConsolePage>;
};

/**
 * A server and a browser for the suite that calls this. No console may do what it must not in a test; each is closed
 * with its test, all the rest with the suite.
 */
export function journey(options: Parameters<typeof startServer>[0] = {}): Journey {
  let suite:
    | { readonly server: TestServer; readonly browser: Awaited<ReturnType<typeof openBrowser>> }
    | undefined;
  const consoles: ConsolePage[] = [];
  const running = () => {
    if (suite === undefined) throw new Error("the suite has not begun");
    return suite;
  };
  before(async () => {
    const [server, browser] = await Promise.all([startServer(options), openBrowser()]);
    suite = { server, browser };
  });
  after(async () => {
    await suite?.browser.close();
    await suite?.server.close();
  });
  afterEach(async () => {
    const offences = consoles.flatMap((one) => one.offences);
    await Promise.all(consoles.splice(0).map((one) => one.close()));
    expect(offences).to.deep.equal([]);
  });
  return {
    get server() {
      return running().server;
    },
    async open(consoleOptions = {}) {
      const { browser, server } = running();
      const one = await openConsole(browser, server, consoleOptions);
      consoles.push(one);
      return one;
    },
  };
}
