import { expect } from "chai";
import { createHostCheck } from "../../src/admin/known-hosts.ts";
import { sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("hosts of the admin listener", () => {
  it("are localhost, every address, and the configured names, whatever the port", () => {
    const isKnown = createHostCheck({
      adminHost: "Admin.Internal",
      adminOrigin: "https://console.example.com",
    });
    for (const host of [
      "localhost",
      "localhost:8081",
      "LOCALHOST:9999",
      "127.0.0.1:8081",
      "10.1.2.3",
      "[::1]:8081",
      "[2001:db8::1]",
      "admin.internal:8081",
      "console.example.com",
    ]) {
      expect(isKnown(host), host).to.equal(true);
    }
    for (const host of [
      undefined,
      "",
      "evil.example",
      "localhost.evil.example",
      "evil.localhost.example:8081",
      "127.0.0.1.evil.example",
      "127.1",
      "0x7f000001",
      "console.example.com.",
      "[::1",
      "[evil.example]",
      "localhost:8081:1",
      "localhost@evil.example",
      "localhost, evil.example",
      " localhost",
    ]) {
      expect(isKnown(host), host).to.equal(false);
    }
  });

  describe("over the wire", () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({ config: { adminOrigin: "https://console.example.com" } });
    });
    after(() => server.close());
    const statusOf = async (path: string, host: string): Promise<number> => {
      const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${server.adminToken}\r\nConnection: close\r\n\r\n`;
      return (await sendRaw(Number(new URL(server.adminUrl).port), head)).status;
    };

    it("another name is answered 421, with the right token too, and leaves a trace", async () => {
      for (const path of [
        "/admin/v1/keys",
        "/console",
        "/console/icon.svg",
        "/",
        "/nothing",
        "/admin/v1/live",
      ]) {
        expect(await statusOf(path, "rebound.evil.example"), path).to.equal(421);
      }
      const { body } = await server.admin("/audit?kind=refusals");
      expect(JSON.stringify(body)).to.include("unknown_host").and.to.include("rebound.evil.example");
    });

    it("probes are answered under any name, and the configured origin under its own", async () => {
      expect(await statusOf("/healthz", "rebound.evil.example")).to.equal(200);
      expect(await statusOf("/admin/v1/keys", "console.example.com")).to.equal(200);
      expect(await statusOf("/admin/v1/keys", "10.9.8.7:8081")).to.equal(200);
    });
  });
});
