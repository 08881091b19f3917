import type { Goal } from "../report/comparison.ts";

/** The page that calls, and the one that may not. */
export const ORIGIN = "https://app.example.com";

/** One kind of request. `key`: whose secret it carries; nobody has the unknown one. */
export type HttpCase = {
  readonly name: string;
  readonly title: string;
  readonly method: "GET" | "POST" | "OPTIONS";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: "known" | "unknown" | "none";
  readonly body?: string;
  readonly status: number;
};

const asked = { origin: ORIGIN, "user-agent": "bench", accept: "application/json" };
const order = { item: "tea", count: 3, note: "x".repeat(960) };

export const CASES: readonly HttpCase[] = [
  {
    name: "get",
    title: "GET with a key",
    method: "GET",
    path: "/api/orders",
    headers: asked,
    key: "known",
    status: 200,
  },
  {
    name: "post",
    title: "POST of 1 kB with a key",
    method: "POST",
    path: "/api/orders",
    headers: { ...asked, "content-type": "application/json" },
    key: "known",
    body: JSON.stringify(order),
    status: 200,
  },
  {
    name: "refused",
    title: "GET with an unknown key",
    method: "GET",
    path: "/api/orders",
    headers: asked,
    key: "unknown",
    status: 401,
  },
  {
    name: "404",
    title: "GET of what is not there, with a key",
    method: "GET",
    path: "/api/nothing",
    headers: asked,
    key: "known",
    status: 404,
  },
  {
    name: "preflight",
    title: "preflight",
    method: "OPTIONS",
    path: "/api/orders",
    headers: {
      ...asked,
      "access-control-request-method": "GET",
      "access-control-request-headers": "x-api-key",
    },
    key: "none",
    status: 204,
  },
];

export const HTTP_PEERS = {
  fastify: "Fastify, the same answer",
  "fastify-by-hand": "Fastify, @fastify/cors and a key check",
  express: "Express 5 with the same check",
  nginx: "nginx, a constant",
} as const;
export type HttpPeer = keyof typeof HTTP_PEERS;

/** What each comparison is to show. nginx is there to see how far Node is from it. */
export function goalOf(kind: HttpPeer, { name }: HttpCase): Goal | undefined {
  return kind === "fastify" && name === "get" ? { atLeast: 0.9 } : undefined;
}

export function isHttpPeer(name: string): name is HttpPeer {
  return Object.hasOwn(HTTP_PEERS, name);
}
