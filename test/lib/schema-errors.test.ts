import { expect } from "chai";
import { settingFault } from "../../src/config/setting-fault.ts";

describe("what is wrong with a value", () => {
  for (const [name, value, text] of [
    ["logLevel", "verbose", 'must be one of "silent", "fatal", "error", "warn", "info", "debug"'],
    ["forwardedHeader", "x", 'must be one of "x-forwarded-for", "forwarded", "x-real-ip"'],
    ["overload", true, "must be false or must be object"],
    ["overload", { heap: [0.5, 2, 0.9] }, "/heap/1 must be <= 1"],
    ["realtime", "yes", "must be boolean"],
  ] as const)
    it(`is said once, with the choices: ${name} ${JSON.stringify(value)}`, () => {
      const fault = settingFault(name, value) ?? "";
      expect(fault.slice(fault.indexOf("cannot be used: ") + 16)).to.equal(text);
    });
});
