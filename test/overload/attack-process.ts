import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answerCalls } from "../../bench/crowd/child.ts";
import { ATTACKS } from "./attacks/index.ts";

const Run = Compile(
  Type.Object({
    name: Type.String(),
    port: Type.Number(),
    secret: Type.String(),
    scale: Type.Number(),
    seconds: Type.Number(),
  }),
);

// Whoever attacks goes on, whatever becomes of its connections.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});

answerCalls({
  async run(argument) {
    const { name, port, secret, scale, seconds } = Run.Parse(argument);
    const attack = ATTACKS.get(name);
    if (attack === undefined) throw new Error(`no attack "${name}"`);
    const untilMs = performance.now() + seconds * 1_000;
    const isOver = (): boolean => performance.now() >= untilMs;
    return attack.run({ port, secret, localAddress: "127.0.0.66", scale, isOver });
  },
});
