import { toRecord } from "./record.ts";

type Received = { event: string; data: Record<string, unknown> };

/** What a wait may take before the test fails and says what came instead. */
const WAIT_MS = 20_000;

/** A reader of server-sent events that loses none: everything is kept until a test asks for it. */
export class EventStreamClient {
  readonly status: number;
  readonly headers: Headers;
  /** Everything that came, as text. */
  text = "";
  isEnded = false;
  readonly #aborter: AbortController;
  readonly #received: Received[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(response: Response, aborter: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#aborter = aborter;
    void this.#read(response);
  }

  static async open(url: string, headers: Record<string, string>): Promise<EventStreamClient> {
    const aborter = new AbortController();
    const response = await fetch(url, { headers, signal: aborter.signal });
    return new EventStreamClient(response, aborter);
  }

  /** The next event of this name that has not been taken yet. */
  next(
    event: string,
    matches: (data: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    return this.#wait(`"${event}"`, () => {
      const at = this.#received.findIndex((one) => one.event === event && matches(one.data));
      return at === -1 ? undefined : this.#received.splice(at, 1)[0]?.data;
    });
  }

  /** The events of this name that have come and have not been taken. */
  pending(event: string): Record<string, unknown>[] {
    return this.#received.filter((one) => one.event === event).map(({ data }) => data);
  }

  async ended(): Promise<void> {
    await this.#wait("end", () => (this.isEnded ? true : undefined));
  }

  close(): void {
    this.#aborter.abort();
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let buffer = "";
    try {
      for await (const chunk of response.body ?? []) {
        const text = decoder.decode(chunk, { stream: true });
        this.text += text;
        buffer += text;
        const frames = buffer.split("\n\n");
        buffer = frames.pop() ?? "";
        for (const frame of frames) this.#take(frame);
      }
    } catch {
      // Cut off: an end like any other.
    }
    this.isEnded = true;
    for (const wake of this.#waiting) wake();
  }

  #take(frame: string): void {
    const [, event] = frame.match(/^event: (.*)$/m) ?? [];
    const [, data] = frame.match(/^data: (.*)$/m) ?? [];
    if (event === undefined || data === undefined) return;
    this.#received.push({ event, data: toRecord(JSON.parse(data)) });
    for (const wake of this.#waiting) wake();
  }

  #wait<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        done();
        resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        const came = this.#received.map((one) => `${one.event} ${JSON.stringify(one.data).slice(0, 200)}`);
        reject(new Error(`no ${what} came; what came:\n  ${came.join("\n  ")}`));
      }, WAIT_MS);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
