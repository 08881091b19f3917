import { isDocument } from "../parts/document.ts";
import type { Document } from "./settings-fields.ts";

export type Snippet = {
  readonly id: "script" | "npm" | "curl" | "server";
  readonly label: string;
  readonly note: string;
  readonly text: string;
};

type Endpoint = { readonly id: string; readonly method: string; readonly path: string };

/** What a key may do, as far as a first piece of code has to know it. */
export type SnippetKey = {
  /** Where the public listener is reached. */
  readonly url: string;
  readonly endpointPrefix: string;
  readonly secret: string;
  readonly settings: Document;
  readonly endpoints: readonly Endpoint[];
};

/** How a page, a program and a server use this very key: what it may not do is in none of them. */
export function snippetsOf(key: SnippetKey): readonly Snippet[] {
  const origin = originOf(key.settings);
  const use = firstUse(key);
  if (use === undefined) return [];
  const { url, secret } = key;
  const sentOrigin = origin === undefined ? "" : ` \\\n  -H "Origin: ${origin}"`;
  const method = use.method === "GET" ? "" : ` -X ${use.method}`;
  const bodyOfCurl =
    use.body === undefined ? "" : ` \\\n  -H "Content-Type: application/json" \\\n  -d '${use.body}'`;
  const init = [
    ...(use.method === "GET" ? [] : [`  method: "${use.method}",`]),
    "  headers: {",
    `    authorization: "Bearer ${secret}",`,
    ...(use.body === undefined ? [] : ['    "content-type": "application/json",']),
    ...(origin === undefined ? [] : [`    origin: "${origin}",`]),
    "  },",
    ...(use.body === undefined ? [] : [`  body: JSON.stringify(${use.body}),`]),
  ];
  const ofPage =
    origin === undefined
      ? "Whoever opens the page can read the key: limit it to your domains."
      : `It works on the pages that the key names, such as ${origin}.`;
  const ofProgram =
    origin === undefined
      ? ""
      : " The key is limited to web pages, so this names one; give a server a key of its own, limited to its addresses.";
  const needsRealtime = use.isPublish ? " The key needs realtime turned on all the same." : "";
  const program: Snippet[] = [
    {
      id: "curl",
      label: "curl",
      note: `${use.what} from a shell.${ofProgram}`,
      text: `curl${method} "${url}${use.path}" \\\n  -H "Authorization: Bearer ${secret}"${sentOrigin}${bodyOfCurl}`,
    },
    {
      id: "server",
      label: use.isPublish ? "Server publish" : "Server",
      note: `${use.what} from your server, without a connection of its own.${needsRealtime}${ofProgram}`,
      text: `const response = await fetch("${url}${use.path}", {\n${init.join("\n")}\n});\nif (!response.ok) throw new Error((await response.json()).detail);`,
    },
  ];
  return [
    {
      id: "script",
      label: "Script tag",
      note: `In a page. ${ofPage}`,
      text: `<script src="${url}/sdk/sluice.global.js"></script>
<script type="module">
  const { ${use.part} } = sluice.createClient("${url}", "${secret}");
${use.lines.map((line) => `  ${line}`).join("\n")}
</script>`,
    },
    {
      id: "npm",
      label: "npm",
      note: origin === undefined ? "In Node, or with a bundler." : `With a bundler, in a page. ${ofPage}`,
      text: `import { createClient } from "sluice/client";

const { ${use.part} } = createClient("${url}", "${secret}");
${use.lines.join("\n")}`,
    },
    ...program,
  ];
}

type Use = {
  /** The member of the client that is used. */
  readonly part: "realtime" | "endpoint";
  readonly lines: readonly string[];
  /** The same over HTTP. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly isPublish: boolean;
};

/** Undefined for a key that may do nothing yet. */
function firstUse({ settings, endpoints, endpointPrefix }: SnippetKey): Use | undefined {
  if (settings["allowRealtime"] === true) {
    const [joined, published] = [channelFor(settings, "join"), channelFor(settings, "publish")];
    const lines = [
      'realtime.on("say", ({ message }) => console.log(message.text));',
      ...(joined === undefined ? [] : [`await realtime.join("${joined}");`]),
      ...(published === undefined ? [] : [`await realtime.send("${published}", "say", { text: "hello" });`]),
    ];
    if (published !== undefined) {
      const body = `{"channel": "${published}", "eventName": "say", "message": {"text": "hi"}}`;
      const publish = { method: "POST", path: "/channels/publish", body, isPublish: true };
      return { part: "realtime", lines, what: "Publishes one message", ...publish };
    }
    if (joined !== undefined) {
      const path = `/channels/members?channel=${encodeURIComponent(joined)}`;
      const what = "Asks who is in the channel, where the key may,";
      return { part: "realtime", lines, what, method: "GET", path, body: undefined, isPublish: false };
    }
  }
  const endpoint = endpointFor(settings, endpoints);
  if (endpoint === undefined) return undefined;
  const { method, path } = endpoint;
  const hasBody = method !== "GET" && method !== "DELETE";
  const call = `endpoint.${method.toLowerCase()}("${path}"${hasBody ? ", {}" : ""})`;
  const lines = [`const { data, error } = await ${call};`, "console.log(data ?? error);"];
  const body = hasBody ? "{}" : undefined;
  const what = `Calls ${method} ${path}`;
  return { part: "endpoint", lines, what, method, path: endpointPrefix + path, body, isPublish: false };
}

/** A channel in which the key may do this. */
function channelFor(settings: Document, action: string): string | undefined {
  const rules: unknown = settings["channels"];
  if (!Array.isArray(rules)) return "lobby";
  for (const rule of rules) {
    if (!isDocument(rule)) continue;
    const { pattern, actions } = rule;
    if (typeof pattern !== "string" || !Array.isArray(actions) || !actions.includes(action)) continue;
    return pattern
      .split(":")
      .map((segment) => (segment === "*" || segment === "**" ? "lobby" : segment))
      .join(":");
  }
  return undefined;
}

function endpointFor(settings: Document, endpoints: readonly Endpoint[]): Endpoint | undefined {
  const rules = isDocument(settings["endpoints"]) ? settings["endpoints"] : {};
  const list: readonly unknown[] = Array.isArray(rules["list"]) ? rules["list"] : [];
  const isListed = ({ id, method, path }: Endpoint): boolean =>
    list.includes(id) || list.includes(`${method} ${path}`);
  const { mode } = rules;
  const allowed = endpoints.filter(
    (one) =>
      mode === "full-access" ||
      (mode === "custom-allowed" && isListed(one)) ||
      (mode === "custom-excluded" && !isListed(one)),
  );
  // One that can be called as it is: without a parameter, and rather one that changes nothing.
  const plain = allowed.filter(({ path }) => !path.includes(":") && !path.includes("*"));
  return plain.find(({ method }) => method === "GET") ?? plain[0];
}

/** A page from which the key works; undefined where any does. */
function originOf(settings: Document): string | undefined {
  const domains = isDocument(settings["domains"]) ? settings["domains"] : {};
  const list: readonly unknown[] = Array.isArray(domains["list"]) ? domains["list"] : [];
  const [first] = list;
  if (domains["mode"] !== "specified" || typeof first !== "string") return undefined;
  return first.replace("*.", "app.").replace(/:\*$/, ":3000");
}
