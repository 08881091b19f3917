const formats = new Map<string, Intl.DateTimeFormat>();

/** A few hundred zones at most. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(zone, format);
  return format;
}

/** What a clock in this zone shows at an instant: `2027-01-31T00:00`, with seconds where there are any. */
export function wallTimeOf(atMs: number, zone: string): string {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? "00";
  const year = part("year").padStart(4, "0");
  const time = `${year}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
  return part("second") === "00" ? time : `${time}:${part("second")}`;
}

/** The instant at which a clock in this zone shows that. An hour that a clock skips is read as if it had not. */
export function instantOf(wallTime: string, zone: string): number {
  const asUtcMs = Date.parse(`${wallTime}Z`);
  let atMs = asUtcMs;
  // The zone's offset at the answer, not at the question: twice is enough around a change of the clocks.
  for (let i = 0; i < 2; i += 1) atMs = asUtcMs - (Date.parse(`${wallTimeOf(atMs, zone)}Z`) - atMs);
  return atMs;
}

/** Every zone that this browser knows, its own and UTC first. */
export function zones(): readonly string[] {
  return [...new Set([ownZone(), "UTC", ...Intl.supportedValuesOf("timeZone")])];
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
