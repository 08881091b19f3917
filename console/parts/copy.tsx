import { Button, type ButtonVariant } from "@mantine/core";
import { useEffect, useState } from "react";
import { CheckIcon } from "./icons.tsx";

type CopyActionProps = {
  readonly text: string;
  readonly label: string;
  readonly variant?: ButtonVariant;
};

const SAID_MS = 2_000;

/** Copies a text and says so. */
export function CopyAction({ text, label, variant = "default" }: CopyActionProps) {
  const [result, setResult] = useState<"copied" | "failed">();
  useEffect(() => {
    if (result === undefined) return;
    const timer = window.setTimeout(() => setResult(undefined), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [result]);
  const said = result === "copied" ? "Copied" : result === "failed" ? "Select it and copy it by hand" : label;
  return (
    <Button
      size="xs"
      variant={variant}
      leftSection={result === "copied" ? <CheckIcon /> : undefined}
      onClick={() => void copy(text).then(setResult)}
      aria-live="polite"
    >
      {said}
    </Button>
  );
}

async function copy(text: string): Promise<"copied" | "failed"> {
  try {
    // Absent where the console is reached over plain HTTP by another name than localhost.
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return copyBySelection(text) ? "copied" : "failed";
  }
}

function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.setAttribute("aria-hidden", "true");
  // Inside the dialog, which would take the focus back from elsewhere.
  const parent = document.activeElement?.closest("[role=dialog]") ?? document.body;
  parent.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
