/**
 * Milliseconds since the epoch of an RFC 3339 date-time, or null. The zone is required, the date must exist
 * (`Date` would roll 30 February over and read a missing zone as local), leap seconds are refused, and digits below
 * a millisecond are cut.
 */
export function parseInstant(text: string): number | null {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const separator = text.charAt(10);
  if (text.charAt(4) !== "-" || text.charAt(7) !== "-" || (separator !== "T" && separator !== "t"))
    return null;
  if (text.charAt(13) !== ":" || text.charAt(16) !== ":") return null;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return null;

  let at = 19;
  let millisecond = 0;
  if (text.charAt(at) === ".") {
    at += 1;
    const start = at;
    while (digits(text, at, 1) >= 0) at += 1;
    if (at === start) return null;
    millisecond = digits(text.slice(start, at).padEnd(3, "0"), 0, 3);
  }
  const offset = parseOffset(text.slice(at));
  if (offset === null) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offset, second, millisecond);
  const utcYear = date.getUTCFullYear();
  return utcYear >= 0 && utcYear <= 9999 ? date.getTime() : null;
}

/** UTC text with `Z`; milliseconds only when there are any. */
export function formatInstant(instantMs: number): string {
  return new Date(instantMs).toISOString().replace(".000Z", "Z");
}

/** Minutes east of UTC, or null. */
function parseOffset(text: string): number | null {
  if (text === "Z" || text === "z") return 0;
  const sign = text.charAt(0);
  if (text.length !== 6 || (sign !== "+" && sign !== "-") || text.charAt(3) !== ":") return null;
  const hours = digits(text, 1, 2);
  const minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  return (sign === "+" ? 1 : -1) * (hours * 60 + minutes);
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
