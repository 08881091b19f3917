import type { FastifyReply, FastifyRequest } from "fastify";
import { FairBudget } from "../lib/fair-budget.ts";
import { type Refusal, refuse } from "../protocol/index.ts";

/** What a body costs that its handler reads as a stream, however long it is. */
const STREAMED_BYTES = 256 * 1024;

/** How long a caller is told to wait. */
const AFTER_MS = 1_000;

/**
 * The bodies of keyed calls that are being received or are with their handlers, of all connections together. A body is charged to its
 * caller by the length that its head says (by the most its route takes where it says none) before it is read, and given back when the call is over. When
 * there is no room, who holds its fair share is refused, before its body is read; the others are not.
 */
export class BodyBudget {
  readonly #budget: FairBudget;

  constructor(maxBytes: number) {
    this.#budget = new FairBudget(maxBytes);
  }

  get heldBytes(): number {
    return this.#budget.total;
  }

  /** Charge the body of this request, if it has one, until its answer is sent. @returns a refusal where there is no room */
  take(request: FastifyRequest, reply: FastifyReply, owner: string): Refusal | undefined {
    const bytes = costOf(request);
    if (bytes === 0) return undefined;
    const budget = this.#budget;
    const isOver = budget.total > 0 && budget.total + bytes > budget.max;
    if (isOver && budget.amountOf(owner) + bytes > this.#shareOf(owner))
      return refuse("unavailable", "too many bodies are under way: try again a little later", AFTER_MS);
    budget.charge(owner, bytes);
    reply.raw.once("close", () => budget.discharge(owner, bytes));
    return undefined;
  }

  /** Its fair share, once it holds something. */
  #shareOf(owner: string): number {
    return this.#budget.max / (this.#budget.size + (this.#budget.amountOf(owner) > 0 ? 0 : 1));
  }
}

function costOf({ raw: { headers }, routeOptions }: FastifyRequest): number {
  const length = headers["content-length"];
  if (length === undefined && headers["transfer-encoding"] === undefined) return 0;
  // More than the limit is refused by its length, and never held.
  const most = routeOptions.bodyLimit ?? 0;
  const bytes = length === undefined ? most : Math.min(Number(length), most);
  const isStreamed = headers["content-type"]?.toLowerCase().startsWith("multipart/form-data") === true;
  return isStreamed ? Math.min(bytes, STREAMED_BYTES) : bytes;
}
