import { useState } from "react";

/** True from the first time on: what leaves with a movement has to stay for it. */
export function useOnce(condition: boolean): boolean {
  const [was, setWas] = useState(condition);
  if (condition && !was) setWas(true);
  return was || condition;
}
