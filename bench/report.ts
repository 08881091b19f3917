/** Writes the figures that the benches have kept (bench/results) into docs/benchmarks.md. Run: npm run bench:report */
import { PARTS, writePart } from "./report/document.ts";

for (const part of PARTS) writePart(part);
