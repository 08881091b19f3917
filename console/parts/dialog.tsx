import { Modal, type ModalProps } from "@mantine/core";
import { Fragment, type ReactNode, useLayoutEffect, useRef } from "react";
import { isFocusLost, recentlyFocused, returnFocus } from "./focus.ts";
import { useTimes } from "./once.ts";

type DialogProps = Omit<ModalProps, "attributes" | "returnFocus" | "children"> & {
  readonly children: ReactNode;
};

/**
 * A dialog over the page. Closed, it takes no more keys and clicks although it is still seen for a moment, and the focus
 * is back at once where it came from. Opened again, it begins anew.
 */
export function Dialog({ opened, children, ...modal }: DialogProps) {
  const times = useTimes(opened);
  const cameFrom = useRef<readonly HTMLElement[]>(undefined);
  const content = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (opened) {
      cameFrom.current = recentlyFocused();
      return;
    }
    if (cameFrom.current === undefined) return;
    const isHere = content.current?.closest("[role=dialog]")?.contains(document.activeElement) ?? false;
    if (isHere || isFocusLost()) returnFocus(cameFrom.current);
    cameFrom.current = undefined;
  }, [opened]);
  return (
    <Modal
      opened={opened}
      {...modal}
      // Mantine's own comes later, and not to a dialog that is opened as soon as it is loaded.
      returnFocus={false}
      // Mantine makes it a banner, of which a page has one.
      attributes={{ content: { inert: !opened }, header: { role: "presentation" } }}
    >
      <div ref={content}>
        <Fragment key={times}>{children}</Fragment>
      </div>
    </Modal>
  );
}
