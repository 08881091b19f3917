import { useHotkeys } from "@mantine/hooks";
import type { RefObject } from "react";
import { isDialogOpen } from "./focus.ts";

/** Ctrl+S and ⌘S send the form, unless a dialog asks something first. */
export function useSaveKey(form: RefObject<HTMLFormElement | null>): void {
  useHotkeys(
    [
      [
        "mod+S",
        () => {
          if (!isDialogOpen()) form.current?.requestSubmit();
        },
      ],
    ],
    [],
  );
}
