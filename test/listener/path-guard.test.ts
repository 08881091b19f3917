import { expect } from "chai";
import fc from "fast-check";
import { targetFault } from "../../src/listener/path-guard.ts";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const AMBIGUOUS = [
  "http://localhost/healthz",
  "*",
  "healthz",
  "//healthz",
  "/api//orders",
  "/./healthz",
  "/api/../healthz",
  "/api/..",
  "/.",
  "/%2e%2e/healthz",
  "/%2E/healthz",
  "/api/.%2e/healthz",
  "/api%2forders",
  "/api%2Forders",
  "/api%5corders",
  "/api\\orders",
  "/api;x/orders",
  "/healthz;",
  "/healthz#top",
  "/healthz?a#b",
  "/healthz%00",
  "/healthz%",
  "/healthz%4",
  "/healthz%zz",
  "/%u002e%u002e/",
  "/%c0%ae%c0%ae/",
  "/%c0%af",
  "/%ff",
  "/%ed%a0%80",
  "/caf\u00e9",
];
const PLAIN = [
  "/",
  "/healthz",
  "/healthz/",
  "/a.b/c..d/...",
  "/caf%C3%A9",
  "/a%20b",
  "/%61pi",
  "/a:b",
  "/x?q=//../%2f;%00\\",
  "/%252e%252e",
];

describe("path guard", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  for (const target of AMBIGUOUS) {
    it(`refuses ${JSON.stringify(target)}`, async () => {
      expect(targetFault(target)).to.be.a("string");
      const response = await sendRaw(server.port, rawRequest("GET", target));
      expect(response.status).to.equal(400);
      const upgrade = await sendRaw(
        server.port,
        rawRequest("GET", target, [
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
        ]).replace("Connection: close\r\n", ""),
      );
      expect(upgrade.status).to.equal(400);
    });
  }
  for (const target of PLAIN) {
    it(`lets ${target} pass`, () => {
      expect(targetFault(target)).to.equal(undefined);
    });
  }

  it("says what is wrong as problem details", async () => {
    const { status, head, body } = await sendRaw(server.port, rawRequest("GET", "/a/%2e%2e/b"));
    expect(status).to.equal(400);
    expect(head).to.match(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).to.include({ code: "ambiguous_target", status: 400 });
  });

  it("has the same eyes for plain targets as for strange ones", () => {
    /** The rule for targets without an encoding, segment by segment. */
    const isFaulty = (target: string): boolean => {
      const [path = "", ...query] = target.split("?");
      const segments = path.split("/").slice(1);
      return (
        [path, ...query].some((text) => /[^!-~]|#/.test(text)) ||
        /[;\\]/.test(path) ||
        segments.some((one, at) => one === "." || one === ".." || (one === "" && at < segments.length - 1))
      );
    };
    const parts = [
      "/",
      "/",
      ".",
      "-",
      "_",
      "a",
      "1",
      "?",
      "#",
      ";",
      "\\",
      " ",
      "~",
      ":",
      "\u007f",
      "\n",
      "é",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 12 }), (some) => {
        const target = `/${some.join("")}`;
        expect(targetFault(target) !== undefined, target).to.equal(isFaulty(target));
      }),
      { numRuns: 20_000 },
    );
  });

  it("passes only targets whose segments mean the same before and after decoding", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("/", ".", "%2e", "%2f", "%5C", "a", "%61", ";", "%00", "%c3%a9", "?", "\\")),
        (parts) => {
          const target = `/${parts.join("")}`;
          if (targetFault(target) !== undefined) return;
          const path = target.split("?", 1)[0] ?? "";
          const decoded = decodeURIComponent(path);
          expect(decoded.split("/").length).to.equal(path.split("/").length);
          expect(new URL(path, "http://h").pathname.split("/").length).to.equal(path.split("/").length);
          expect(decoded).to.not.match(/[\\;\0]/);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
