import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { BodyError } from "../listener/body-error.ts";
import { LIMITS, refuse } from "../protocol/index.ts";
import { MultipartBody } from "./multipart-body.ts";

/** What is parsed or handed over as a whole is in memory, and no string of V8 has 512 MiB. */
const MAX_WHOLE_BODY_BYTES = 256 * 1024 * 1024;

/** A client may take a minute for any request, and so much longer for a large body: 128 KiB a second. */
const REQUEST_TIMEOUT_MS = 60_000;
const SLOWEST_BYTES_PER_MS = 128;

declare module "fastify" {
  interface FastifyContextConfig {
    /** How many bytes a body may have that its handler reads as a stream. */
    maxBodyBytes?: number;
  }
}

/** A form is an object with a property for each name. */
const MAX_FORM_FIELDS = 1_000;

/** What no program reads as text. */
const OCTETS =
  /^(?:application\/(?:octet-stream|pdf|zip|gzip|wasm|x-protobuf|protobuf)|(?:image|audio|video|font)\/[\w.+-]+)(?:;|$)/;

const UTF_8 = /;\s*charset\s*=\s*"?(?!"?utf-?8"?\s*(?:;|$))/i;

/** Beside JSON and text, an endpoint takes forms, files and octets. A body is parsed after its call was decided. */
export function acceptEndpointBodies(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (request, body: string, done) => {
      const form = formOf(request.headers["content-type"] ?? "", body);
      if (form instanceof BodyError) done(form);
      else done(null, form);
    },
  );
  scope.addContentTypeParser(OCTETS, { parseAs: "buffer" }, (_request, body: Buffer, done) =>
    done(null, body),
  );
  scope.addContentTypeParser("multipart/form-data", (request, payload: IncomingMessage, done) => {
    try {
      const maxBytes = request.routeOptions.config.maxBodyBytes ?? LIMITS.maxPayloadBytes;
      done(null, new MultipartBody(payload, maxBytes));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** The limits of an endpoint's body, as options of its route. */
export function bodyLimits(maxBodyBytes: number = LIMITS.maxPayloadBytes) {
  return { bodyLimit: Math.min(maxBodyBytes, MAX_WHOLE_BODY_BYTES), config: { maxBodyBytes } };
}

/** How long a request may take to arrive where the largest body is this large. */
export function requestTimeoutMs(largestBodyBytes: number): number {
  return (
    REQUEST_TIMEOUT_MS +
    Math.ceil(Math.max(0, largestBodyBytes - LIMITS.maxPayloadBytes) / SLOWEST_BYTES_PER_MS)
  );
}

/** A body without a type is octets (RFC 9110, 8.3). */
export function typeBody({ raw: { headers } }: FastifyRequest): void {
  headers["content-type"] ??= "application/octet-stream";
}

function formOf(contentType: string, text: string): Record<string, string | string[]> | BodyError {
  if (UTF_8.test(contentType))
    return new BodyError(refuse("unsupported_media_type", "send the form in UTF-8"));
  if (countFields(text) > MAX_FORM_FIELDS)
    return new BodyError(refuse("payload_too_large", `a form has at most ${MAX_FORM_FIELDS} fields`));
  const form: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    if (name === "__proto__")
      return new BodyError(refuse("invalid_request", "no field has the name __proto__"));
    const before = form[name];
    if (before === undefined) form[name] = value;
    else if (typeof before === "string") form[name] = [before, value];
    else before.push(value);
  }
  return form;
}

function countFields(text: string): number {
  let count = 1;
  for (let at = text.indexOf("&"); at !== -1 && count <= MAX_FORM_FIELDS; at = text.indexOf("&", at + 1))
    count += 1;
  return count;
}
