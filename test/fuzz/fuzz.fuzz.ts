import { fuzz } from "./fuzz.ts";

const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? 120);
/** Another one each day, so that the gate looks elsewhere; a failure names it, and `FUZZ_SEED` repeats it. */
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Date.now() / 86_400_000));

describe(`changed packets, frames and requests at both listeners for ${SECONDS} s`, () => {
  it("end no process, are never answered with a fault of the server, and leave nothing behind", async () => {
    const { line } = await fuzz(SECONDS, SEED);
    console.log(`      ${line}`);
  });
});
