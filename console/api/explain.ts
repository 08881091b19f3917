import { useQuery } from "@tanstack/react-query";
import { needsChannel, type Question } from "../parts/explain-link.ts";
import { ApiError } from "./problem.ts";
import { request } from "./request.ts";
import { either, isExactly, isFlag, isNumber, isText, listOf, objectOf } from "./shape.ts";
import type { Check } from "./types.ts";

export type Asked = Question & { readonly secret: string };
type Allowed = { readonly allowed: true };
type Denied = {
  readonly allowed: false;
  readonly code: string;
  readonly status: number;
  readonly message: string;
};
export type Explanation = { readonly decision: Allowed | Denied; readonly checks: readonly Check[] };
export type Field = "who" | "action" | "origin" | "address" | "endpoint" | "channel";
export type FieldFaults = Partial<Record<Field, string>>;

const isExplanation = objectOf<Explanation>({
  decision: either(
    objectOf<Allowed>({ allowed: isExactly(true) }),
    objectOf<Denied>({ allowed: isExactly(false), code: isText, status: isNumber, message: isText }),
  ),
  checks: listOf(objectOf<Check>({ check: isText, passed: isFlag, message: isText })),
});

/** The decision about a request that nobody sends. It is asked again when its key changes. */
export function useExplanation(asked: Asked | undefined) {
  return useQuery({
    queryKey: ["key", asked?.who === "key" ? asked.keyId : "", "explain", asked],
    queryFn: ({ signal }) =>
      request("/explain", isExplanation, { method: "POST", body: asked && bodyOf(asked), signal }),
    enabled: asked !== undefined,
    staleTime: 0,
    // May hold a secret.
    gcTime: 0,
  });
}

/** What cannot be asked like this, at its field. */
export function faultsOfQuestion(asked: Asked): FieldFaults {
  const faults: FieldFaults = {};
  if (asked.who === "key" && asked.keyId === "") faults.who = "Choose a key";
  if (asked.who === "secret" && asked.secret.trim() === "")
    faults.who = "Paste the secret that the client sends";
  if (asked.who === "settings") {
    const fault = jsonFault(asked.settings);
    if (fault !== undefined) faults.who = fault;
  }
  if (asked.action === "endpoint" && asked.endpoint.trim() === "") faults.endpoint = "Which endpoint?";
  if (needsChannel(asked.action) && asked.channel === "") faults.channel = "Which channel?";
  return faults;
}

/** A refusal of the question itself, at its fields; undefined when it belongs to none. */
export function faultsOfError(error: unknown): FieldFaults | undefined {
  if (!(error instanceof ApiError) || error.faults.length === 0) return undefined;
  const faults: FieldFaults = {};
  for (const { pointer, message } of error.faults) {
    const field = fieldOf(pointer);
    const text = field === "who" && pointer !== "/keyId" ? `${pointer || "/"}: ${message}` : message;
    faults[field] = faults[field] === undefined ? text : `${faults[field]}; ${text}`;
  }
  return faults;
}

function fieldOf(pointer: string): Field {
  switch (pointer) {
    case "/request/action":
      return "action";
    case "/request/origin":
      return "origin";
    case "/request/ip":
      return "address";
    case "/request/endpoint":
      return "endpoint";
    case "/request/channel":
      return "channel";
    default:
      return "who";
  }
}

function bodyOf({
  who,
  keyId,
  secret,
  settings,
  action,
  origin,
  address,
  endpoint,
  channel,
}: Asked): unknown {
  const subject =
    who === "key"
      ? { keyId }
      : who === "secret"
        ? { apiKey: secret.trim() }
        : { settings: JSON.parse(settings) };
  return {
    ...subject,
    request: {
      action,
      ...(origin === "" ? {} : { origin }),
      ...(address === "" ? {} : { ip: address }),
      ...(action === "endpoint" ? { endpoint: endpoint.trim() } : {}),
      ...(needsChannel(action) ? { channel } : {}),
    },
  };
}

function jsonFault(text: string): string | undefined {
  if (text.trim() === "") return "Paste the settings of a key as JSON";
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : "it cannot be read"}`;
  }
}
