import { useCallback, useEffect, useRef, useState } from "react";
import { live, type TailEvent } from "../api/live-stream.ts";

export type Line = Exclude<TailEvent, { readonly kind: "begin" }> & { readonly key: number };
type TailState = {
  readonly hasBegun: boolean;
  readonly lines: readonly Line[];
  readonly isPaused: boolean;
  /** What came while it was paused. */
  readonly waiting: number;
};

/** What is kept, and with it what is on the page. */
export const LINES_MAX = 200;
const PAINT_MS = 200;

/**
 * A channel's messages as they come, the newest first: painted a few times a second and bounded, however many there
 * are. Paused, it goes on listening and shows the newest of what came when it goes on.
 */
export function useTail(channel: string) {
  const [state, setState] = useState<TailState>({ hasBegun: false, lines: [], isPaused: false, waiting: 0 });
  const paused = useRef(false);
  const pending = useRef<Line[]>([]);
  const arrived = useRef(0);

  const paint = useCallback((): void => {
    if (arrived.current === 0) return;
    if (paused.current) {
      const waiting = arrived.current;
      setState((before) => (before.waiting === waiting ? before : { ...before, waiting }));
      return;
    }
    const fresh = pending.current.reverse();
    pending.current = [];
    arrived.current = 0;
    setState((before) => ({ ...before, waiting: 0, lines: [...fresh, ...before.lines].slice(0, LINES_MAX) }));
  }, []);

  useEffect(() => {
    let last = 0;
    const timer = window.setInterval(paint, PAINT_MS);
    const stop = live.watch(channel, (event) => {
      if (event.kind === "begin") {
        setState((before) => ({ ...before, hasBegun: true }));
        return;
      }
      last += 1;
      arrived.current += 1;
      pending.current.push({ ...event, key: last });
      if (pending.current.length > 2 * LINES_MAX) pending.current = pending.current.slice(-LINES_MAX);
    });
    return () => {
      window.clearInterval(timer);
      stop();
    };
  }, [channel, paint]);

  return {
    ...state,
    togglePause: (): void => {
      paused.current = !paused.current;
      setState((before) => ({ ...before, isPaused: paused.current }));
      paint();
    },
    clear: (): void => {
      pending.current = [];
      arrived.current = 0;
      setState((before) => ({ ...before, lines: [], waiting: 0 }));
    },
  };
}
