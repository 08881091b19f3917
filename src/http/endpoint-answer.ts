import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { AnswerBody } from "./answer-body.ts";
import { ownHeaders, partOf, unsatisfiedRange, withoutEncodedBytes } from "./answer-headers.ts";
import { isCodingTrue } from "./content-coding.ts";

/** They have no body, whatever is in the answer (RFC 9110, 15). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export type AnswerOptions = {
  /** What the decision about the call depended on. */
  readonly vary: string;
  /** The body failed after its head was sent. */
  readonly onFault: (error: unknown) => void;
};

/** A `Response` of this Node or of a package's `fetch`. */
type ResponseLike = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readable | ReadableStream | null;
  readonly isFetched: boolean;
};

/**
 * Send what a handler returned. Its status and headers go out with what is true of its bytes, its body with the server's own framing.
 *
 * @throws TypeError for what cannot be sent: a stream without a Response, a function, a BigInt, an object that holds itself, a status that is no final one
 */
export function answer(
  reply: FastifyReply,
  result: unknown,
  options: AnswerOptions,
): Promise<void> | undefined {
  if (result === undefined) {
    sendNothing(reply.code(204));
    return undefined;
  }
  if (typeof result === "string" || result instanceof Uint8Array) {
    reply.send(result);
    return undefined;
  }
  if (isResponse(result)) return answerWith(reply, responseOf(result), options);
  if (result instanceof Readable || result instanceof ReadableStream) {
    // Nobody reads it any more: a file or an upstream's connection must not stay open for it.
    new AnswerBody(result).cancel();
    throw new TypeError("a handler returned a stream: return a Response with it as its body");
  }
  const text: string | undefined = JSON.stringify(result);
  if (text === undefined) throw new TypeError(`a handler returned a ${typeof result}`);
  reply.type("application/json; charset=utf-8").send(text);
  return undefined;
}

async function answerWith(
  reply: FastifyReply,
  response: ResponseLike,
  options: AnswerOptions,
): Promise<void> {
  const { status } = response;
  const body = response.body === null ? undefined : new AnswerBody(response.body);
  const cancel = (): void => body?.cancel();
  // While nothing is sent yet, nobody else would notice that the client is gone.
  reply.raw.once("close", cancel);
  try {
    const headers = ownHeaders(reply, response.headers, options.vary);
    if (body === undefined || WITHOUT_BODY.has(status)) {
      body?.cancel();
      sendEmpty(reply, response, headers);
      return;
    }
    await body.readAhead();
    describe(headers, response, body);
    sendBody(reply, status, headers, body, options);
  } catch (error) {
    body?.cancel();
    throw error;
  } finally {
    reply.raw.off("close", cancel);
  }
}

function sendEmpty(reply: FastifyReply, { status, headers: given }: ResponseLike, headers: Headers): void {
  if (status === 206 && reply.request.method !== "HEAD") throw new TypeError("a handler's 206 has no body");
  if (given.has("content-encoding")) withoutEncodedBytes(headers);
  if (status === 204 || status === 205) headers.delete("content-type");
  const range = status === 416 ? unsatisfiedRange(given.get("content-range")) : undefined;
  if (range !== undefined) headers.set("content-range", range);
  sendNothing(setHeaders(reply.code(status), headers));
}

/** Fastify says `Content-Length: 0` in an answer to HEAD that has no payload, whatever its status, and whatever GET would have. */
function sendNothing(reply: FastifyReply): void {
  if (reply.request.method === "HEAD") reply.send(Readable.from([]));
  else reply.send();
}

/** Adds what is true of the bytes that were read ahead. @throws TypeError for a part that is not what it says */
function describe(
  headers: Headers,
  { status, headers: given, isFetched }: ResponseLike,
  body: AnswerBody,
): void {
  const bytes = body.start();
  const { isWhole } = body;
  const coding = given.get("content-encoding");
  if (coding !== null) {
    if (isCodingTrue(coding, { bytes, isWhole, isFetched })) headers.set("content-encoding", coding);
    else withoutEncodedBytes(headers);
  }
  const range = given.get("content-range");
  if (status === 416) {
    const unsatisfied = unsatisfiedRange(range);
    if (unsatisfied !== undefined) headers.set("content-range", unsatisfied);
  }
  if (status !== 206) return;
  if (/^multipart\/byteranges\b/i.test(headers.get("content-type") ?? "")) return;
  const part = partOf(range);
  const isDecoded = coding !== null && !headers.has("content-encoding");
  if (part === undefined || isDecoded || (isWhole && bytes.length !== part.bytes))
    throw new TypeError("a handler's 206 has no Content-Range that is true of its body");
  headers.set("content-range", part.contentRange);
}

function sendBody(
  reply: FastifyReply,
  status: number,
  headers: Headers,
  body: AnswerBody,
  { onFault }: AnswerOptions,
): void {
  setHeaders(reply.code(status), headers);
  const lengthBytes = body.isWhole ? body.start().length : partOf(headers.get("content-range"))?.bytes;
  if (lengthBytes !== undefined) reply.header("content-length", String(lengthBytes));
  if (reply.request.method === "HEAD") {
    body.cancel();
    sendNothing(reply);
  } else if (body.isWhole) {
    reply.send(body.start());
  } else {
    reply.send(body.stream(lengthBytes).on("error", onFault));
  }
}

function setHeaders(reply: FastifyReply, headers: Headers): FastifyReply {
  for (const [name, value] of headers) reply.header(name, value);
  return reply;
}

/** @throws TypeError for one that cannot be sent */
function responseOf(response: ForeignResponse): ResponseLike {
  const { status, body } = response;
  // 1xx is not the end of an answer, and `Response.error()` has 0.
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`a handler returned a Response with the status ${status}`);
  if (response.bodyUsed === true) throw new TypeError("a handler returned a Response whose body was read");
  if (body !== null && !(body instanceof Readable) && !(body instanceof ReadableStream))
    throw new TypeError("a handler returned a Response whose body is no stream");
  const headers = new Headers();
  for (const [name, value] of response.headers) headers.append(name, value);
  return { status, headers, body, isFetched: typeof response.url === "string" && response.url !== "" };
}

type ForeignResponse = {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: unknown;
  readonly bodyUsed?: unknown;
  readonly url?: unknown;
};

/** Packages that bring their own `fetch` have classes of their own. */
function isResponse(value: unknown): value is ForeignResponse {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.prototype.toString.call(value) === "[object Response]" &&
    "status" in value &&
    typeof value.status === "number" &&
    "body" in value &&
    "headers" in value &&
    typeof value.headers === "object" &&
    value.headers !== null &&
    Symbol.iterator in value.headers
  );
}
