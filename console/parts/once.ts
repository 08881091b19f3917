import { useState } from "react";

/** True from the first time on: what leaves with a movement has to stay for it. */
export function useOnce(condition: boolean): boolean {
  const [was, setWas] = useState(condition);
  if (condition && !was) setWas(true);
  return was || condition;
}

/** The last that there was: what is said of it has to stay while it leaves with a movement. */
export function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}

/** How often it has become true. */
export function useTimes(condition: boolean): number {
  const [{ was, times }, set] = useState({ was: condition, times: condition ? 1 : 0 });
  if (condition !== was) set({ was: condition, times: times + (condition ? 1 : 0) });
  return times;
}
