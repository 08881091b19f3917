import { expect } from "chai";
import { createClient } from "../../client/index.ts";
import { resolveConfig } from "../../src/config/config.ts";
import { BUDGET_SHARES } from "../../src/config/default-budgets.ts";
import { rowOf, SETTING_NAMES } from "../../src/config/settings-table.ts";
import { ERROR_TABLE } from "../../src/protocol/index.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer } from "../helpers/server.ts";
import { readDocument, tableRows } from "./documents.ts";

describe("documentation tables", () => {
  it("PROTOCOL.md lists every code with its status and whether to try again", () => {
    const rows = tableRows(readDocument("src/protocol/PROTOCOL.md"), ["code", "status"]);
    const documented = rows.map(([code = "", status = ""]) => [code.replaceAll("`", ""), status]);
    const codes = Object.entries(ERROR_TABLE).map(([code, { status, retry }]) => [
      code,
      retry ? `${status}, may succeed later` : String(status),
    ]);
    expect(documented).to.have.deep.members(codes);
  });

  it("docs/client.md lists methods that the client has", () => {
    const { realtime } = createClient("http://localhost", null);
    const rows = tableRows(readDocument("docs/client.md"), ["realtime", ""]);
    for (const [methods = ""] of rows) {
      for (const name of methods.matchAll(/`(\w+)(?:\(|`)/g)) expect(realtime).to.respondTo(name[1] ?? "");
    }
  });

  it("docs/admin-api.md lists calls that the admin API has, and the two tables together all of them", async () => {
    const server = await startServer();
    const { body } = await server.admin("/openapi.json");
    await server.close();
    const existing = Object.entries(toRecord(body["paths"])).flatMap(([path, item]) =>
      Object.keys(toRecord(item)).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const calls = ["docs/admin-api.md", "docs/keys.md"].flatMap((file) =>
      tableRows(readDocument(file), ["call", ""]).flatMap(([cell = ""]) => {
        const path =
          cell
            .match(/\S*\/[^`?\s]*/)?.[0]
            ?.replace(/^…\/?/, "/admin/v1/")
            .replace(/:(\w+)/g, "{$1}") ?? "";
        return [...cell.matchAll(/\b(GET|POST|PATCH|DELETE)\b/g)].map(([method]) => `${method} ${path}`);
      }),
    );
    expect([...new Set(calls)]).to.have.members([...existing, "GET /admin/v1/openapi.json"]);
  });

  describe("docs/configuration.md", () => {
    const rows = (): string[][] =>
      tableRows(readDocument("docs/configuration.md"), ["setting", "environment", "default"]);

    it("names every environment variable that the configuration knows, and no other", () => {
      const known = SETTING_NAMES.flatMap((name) => rowOf(name).environment ?? []);
      const named = rows().flatMap(([, variables = ""]) => variables.match(/\bSLUICE_[A-Z_]+/g) ?? []);
      expect(named).to.have.members([...new Set(known)]);
    });

    it("names every setting, beside its own variable", () => {
      const named = rows().flatMap(([settings = ""]) => namesIn(settings));
      expect(named).to.have.members(Object.keys(resolveConfig({})));
      for (const [settings = "", variables = ""] of rows()) {
        if (variables === "") continue;
        const expected = namesIn(settings).map(
          (name) => `SLUICE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`,
        );
        expect(variables.match(/\bSLUICE_[A-Z_]+/g)).to.deep.equal(expected);
      }
    });

    it("names every default", () => {
      const config: Record<string, unknown> = {
        ...resolveConfig({}),
        publicOrigin: "http://localhost:<port>",
      };
      // These depend on the memory of the machine.
      const shares: Readonly<Record<string, (typeof BUDGET_SHARES)["maxChannels"]>> = BUDGET_SHARES;
      for (const [settings = "", , text = ""] of rows()) {
        for (const name of namesIn(settings)) {
          const value = config[name];
          const share = shares[name];
          if (share !== undefined) {
            expect(text, name).to.include(share.of.join("/")).and.to.include(share.most);
            continue;
          }
          if (["string", "number", "boolean"].includes(typeof value))
            expect(text.split(/[\s,;()`]+/), name).to.include(String(value));
        }
      }
    });
  });
});

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
}
