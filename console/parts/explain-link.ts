export const EXPLAIN_ACTIONS = [
  "connect",
  "endpoint",
  "join",
  "publish",
  "presence",
  "history",
  "broadcast",
] as const;
export type ExplainAction = (typeof EXPLAIN_ACTIONS)[number];
export type Who = "key" | "settings" | "secret";

/** What the explain page is asked. The text of each field; an empty one is absent. */
export type Question = {
  readonly who: Who;
  readonly keyId: string;
  /** Settings that are not saved, as JSON. */
  readonly settings: string;
  readonly action: ExplainAction;
  readonly origin: string;
  readonly address: string;
  readonly endpoint: string;
  readonly channel: string;
  /** With what it was refused, when the question comes from a refusal. */
  readonly code: string;
};

/** A refusal, an audit entry or a key's form: what is known of it. */
export type ExplainLink = {
  readonly keyId?: string | null | undefined;
  /** Settings that are not saved; they go before `keyId`. */
  readonly settings?: unknown;
  readonly action?: string | null | undefined;
  readonly origin?: string | null | undefined;
  readonly address?: string | null | undefined;
  readonly endpoint?: string | null | undefined;
  readonly channel?: string | null | undefined;
  readonly code?: string | null | undefined;
};

const PATH = "/explain";
const LINKED = ["keyId", "settings", "action", "origin", "address", "endpoint", "channel", "code"] as const;
/** What browsers, proxies and chat programs surely keep of an address. */
const SETTINGS_MAX_CHARS = 4_000;
const SECRET = /sl[ac]_[0-9A-Za-z]{8,}/;

/** Settings that a link cannot hold are handed over here, within this tab. */
let carriedSettings = "";

/** Where a question is explained: a path of this console with everything in its query string, and never a secret. */
export function explainHref(link: ExplainLink): string {
  const hasSettings = link.settings !== undefined && link.settings !== null;
  const query = queryOfQuestion({
    who: hasSettings ? "settings" : "key",
    keyId: hasSettings ? "" : (link.keyId ?? ""),
    settings: hasSettings ? settingsText(link.settings) : "",
    action: actionOf(link.action, link.endpoint),
    origin: link.origin ?? "",
    address: link.address ?? "",
    endpoint: link.endpoint ?? "",
    channel: link.channel ?? "",
    code: link.code ?? "",
  });
  return query.size === 0 ? PATH : `${PATH}?${query}`;
}

/** The query string of a question. What must not stand in an address, or is too long for one, is left out. */
export function queryOfQuestion(question: Question): URLSearchParams {
  const query = new URLSearchParams();
  if (question.who !== "key") query.set("who", question.who);
  if (question.who === "settings") carriedSettings = question.settings;
  for (const name of LINKED) {
    const value = question[name];
    if (value === "" || looksSecret(value) || !isLinked(name, question)) continue;
    if (name !== "settings" || value.length <= SETTINGS_MAX_CHARS) query.set(name, value);
  }
  return query;
}

export function questionOf(query: URLSearchParams): Question {
  const text = (name: string): string => query.get(name) ?? "";
  const who = text("who");
  const settings = text("settings");
  return {
    who: who === "settings" || who === "secret" ? who : "key",
    keyId: text("keyId"),
    settings: who === "settings" && settings === "" ? carriedSettings : settings,
    action: actionOf(text("action")),
    origin: text("origin"),
    address: text("address"),
    endpoint: text("endpoint"),
    channel: text("channel"),
    code: text("code"),
  };
}

/** A secret of a key or of an admin, whole or the better part of it. */
export function looksSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Whether a link to this question leaves something of it out. */
export function isWholeInLink(question: Question): boolean {
  if (question.who === "secret") return false;
  const query = queryOfQuestion(question);
  return LINKED.every((name) => !isLinked(name, question) || (query.get(name) ?? "") === question[name]);
}

function isLinked(name: (typeof LINKED)[number], { who, action }: Question): boolean {
  if (name === "keyId") return who === "key";
  if (name === "settings") return who === "settings";
  if (name === "endpoint") return action === "endpoint";
  if (name === "channel") return needsChannel(action);
  return true;
}

export function needsChannel(action: ExplainAction): boolean {
  return !["connect", "endpoint", "broadcast"].includes(action);
}

function actionOf(text: string | null | undefined, endpoint?: string | null): ExplainAction {
  // Who was refused before anything else was looked at wanted to connect, or what the refusal names.
  const otherwise = endpoint === undefined || endpoint === null ? "connect" : "endpoint";
  return EXPLAIN_ACTIONS.find((action) => action === text) ?? otherwise;
}

/** Without what decides nothing and may hold anything. */
function settingsText(settings: unknown): string {
  if (typeof settings === "string") return settings;
  return JSON.stringify(settings, (name, value: unknown) => (name === "metadata" ? undefined : value), 1);
}
