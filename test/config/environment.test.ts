import { expect } from "chai";
import { ConfigError, loadConfig } from "../../src/config/config.ts";

describe("the environment of a server", () => {
  const load = (environment: Record<string, string>) => loadConfig({ environment });
  const refused = async (environment: Record<string, string>): Promise<string> => {
    try {
      await load(environment);
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError);
      return String(error);
    }
    throw new Error("it was taken");
  };

  it("may hold what Kubernetes sets for Services called sluice, sluice-admin and sluice-metrics", async () => {
    const config = await load({
      SLUICE_PORT: "tcp://10.96.0.10:80",
      SLUICE_SERVICE_HOST: "10.96.0.10",
      SLUICE_SERVICE_PORT: "80",
      SLUICE_SERVICE_PORT_HTTP: "80",
      SLUICE_PORT_80_TCP: "tcp://10.96.0.10:80",
      SLUICE_PORT_80_TCP_PROTO: "tcp",
      SLUICE_PORT_80_TCP_PORT: "80",
      SLUICE_PORT_80_TCP_ADDR: "10.96.0.10",
      SLUICE_ADMIN_PORT: "tcp://[fd00::a]:8081",
      SLUICE_ADMIN_SERVICE_HOST: "fd00::a",
      SLUICE_ADMIN_PORT_8081_TCP_ADDR: "fd00::a",
      SLUICE_METRICS_PORT: "udp://10.96.0.12:9090",
      SLUICE_REDIS_SERVICE_PORT_REDIS: "6379",
      SLUICE_STAGING_EU_PORT: "tcp://10.96.0.13:80",
    });
    expect(config).to.include({ port: 8080, adminPort: 8081, metricsPort: undefined });
  });

  it("may hold what Docker sets for a linked container", async () => {
    const config = await load({
      SLUICE_PORT: "tcp://172.17.0.5:8080",
      SLUICE_PORT_8080_TCP: "tcp://172.17.0.5:8080",
      SLUICE_NAME: "/web/sluice",
      SLUICE_ENV_NODE_VERSION: "22",
    });
    expect(config.port).to.equal(8080);
  });

  it("still sets ports, and refuses one that is none", async () => {
    expect((await load({ SLUICE_PORT: "9000" })).port).to.equal(9000);
    expect(await refused({ SLUICE_PORT: "http://x" })).to.include("SLUICE_PORT");
  });

  it("is refused where a variable names no setting, as a file is", async () => {
    const message = await refused({ SLUICE_TRUSTED_PROXYS: "10.0.0.0/8", SLUICE_NAME: "x", PATH: "/bin" });
    expect(message).to.include("SLUICE_TRUSTED_PROXYS, SLUICE_NAME").and.to.not.include("10.0.0.0");
  });

  it("may hold what the commands read, and empty variables", async () => {
    const config = await load({
      SLUICE_ADMIN_URL: "http://127.0.0.1:8081",
      SLUICE_PROT: "",
      SLUICE_ADMIN_TOKEN: "a-token-of-sixteen-letters",
    });
    expect(config.adminToken).to.equal("a-token-of-sixteen-letters");
  });
});
