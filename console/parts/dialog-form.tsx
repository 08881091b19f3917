import { Button, Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { isFocusLost } from "./focus.ts";

type DialogFormProps = {
  /** What the button that does it is called. */
  readonly verb: string;
  readonly isDangerous?: boolean;
  /** Whether the focus is first on the button that does nothing. */
  readonly isCancelFirst?: boolean;
  readonly run: () => Promise<void>;
  readonly onClose: () => void;
  /** What to say when it did not work. */
  readonly failureText: (failure: unknown) => string;
  readonly children: ReactNode;
};

/** A question that is answered once: it is done, or it says why not and may be tried again. */
export function DialogForm(props: DialogFormProps) {
  const { verb, isDangerous = false, isCancelFirst = false, run, onClose, failureText, children } = props;
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const isRunning = useRef(false);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    // The button could not keep it while it was busy.
    if (error !== undefined && !isBusy && isFocusLost()) button.current?.focus();
  }, [error, isBusy]);
  const submit = async (): Promise<void> => {
    if (isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await run();
      onClose();
    } catch (failure) {
      setError(failureText(failure));
      setBusy(false);
      isRunning.current = false;
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        {children}
        {error !== undefined && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} {...(isCancelFirst ? { "data-autofocus": true } : {})}>
            Cancel
          </Button>
          <Button ref={button} type="submit" loading={isBusy} {...(isDangerous ? { color: "red" } : {})}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
