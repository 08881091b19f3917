import { Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { isDialogOpen } from "./focus.ts";

let isFirst = true;

/** The page's heading. It names the tab, and takes the focus so that a new page is read out and Tab begins there. */
export function PageTitle({ children, name }: { readonly children: ReactNode; readonly name?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const text = name ?? (typeof children === "string" ? children : "");
  useEffect(() => {
    document.title = text === "" ? "Sluice console" : `${text} · Sluice`;
  }, [text]);
  useEffect(() => {
    // Where the browser put it with the first page is right; a dialog in front keeps it too.
    if (!isFirst && !isDialogOpen()) heading.current?.focus();
    isFirst = false;
  }, []);
  return (
    <Title order={1} size="h2" ref={heading} tabIndex={-1}>
      {children}
    </Title>
  );
}
