import { useEffect, useState } from "react";

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const FAR_MS = 30 * 86_400_000;

/** "3 minutes ago", "in 2 days"; what is far away by its date. */
export function agoOf(atMs: number, nowMs: number): string {
  const distanceMs = atMs - nowMs;
  if (Math.abs(distanceMs) > FAR_MS) return day.format(atMs);
  for (const [unit, lengthMs] of STEPS) {
    if (Math.abs(distanceMs) >= lengthMs) return relative.format(Math.round(distanceMs / lengthMs), unit);
  }
  return distanceMs > 0 ? "in less than a minute" : "just now";
}

/** "in 400 days", however far. */
export function distanceOf(atMs: number): string {
  const distanceMs = atMs - Date.now();
  return Math.abs(distanceMs) > FAR_MS
    ? relative.format(Math.round(distanceMs / 86_400_000), "day")
    : agoOf(atMs, Date.now());
}

/** An instant as a distance from now, with the instant itself to hover over. */
export function Ago({ at, none = "never" }: { readonly at: string | null; readonly none?: string }) {
  const nowMs = useNowMs();
  if (at === null) return <span>{none}</span>;
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={exact.format(atMs)}>
      {agoOf(atMs, nowMs)}
    </time>
  );
}

/** An instant as the clock on the wall shows it here. */
export function At({ at }: { readonly at: string }) {
  return <time dateTime={at}>{exact.format(Date.parse(at))}</time>;
}

const REFRESH_MS = 20_000;

function useNowMs(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, []);
  // What is newer than the last tick is now, not in the future.
  return Math.max(nowMs, Date.now());
}
