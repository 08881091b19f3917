/** The oldest Node that is safe to run a server on: 20.20.2 closes CVE-2026-21717. As in package.json's engines. */
const FLOOR = [20, 20, 2] as const;

/** Whether a version such as `v20.20.2` is as new as that. */
export function isNodeNewEnough(version: string): boolean {
  const parts = version.replace(/^v/, "").split(".").map(Number.parseFloat);
  for (const [index, least] of FLOOR.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

if (!isNodeNewEnough(process.version)) {
  process.stderr.write(
    `sluice: this is Node ${process.version}, and Sluice needs ${FLOOR.join(".")} or newer: older versions have security faults that clients can use.\n`,
  );
  process.exit(1);
}
