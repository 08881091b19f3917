import { ActionIcon, Button, Group, Stack } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef } from "react";
import { CrossIcon } from "../parts/icons.tsx";
import type { Row } from "./rows.ts";
import type { KeyForm } from "./use-key-form.ts";

type RowListProps<T extends Row> = {
  readonly form: KeyForm;
  /** Where the rows are in the form. */
  readonly path: string;
  readonly rows: readonly T[];
  /** What one row is called: "domain". */
  readonly noun: string;
  readonly makeRow: () => T;
  readonly children: (place: RowPlace) => ReactNode;
};

export type RowPlace = {
  readonly index: number;
  /** Of the row in the form. */
  readonly path: string;
  /** The button that removes it. */
  readonly remove: ReactNode;
};

/** Rows that are added and removed. Whoever does it by keyboard can go on from there. */
export function RowList<T extends Row>({ form, path, rows, noun, makeRow, children }: RowListProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const addButton = useRef<HTMLButtonElement>(null);
  const focusNext = useRef<(rowBoxes: readonly Element[]) => void>(undefined);
  useLayoutEffect(() => {
    // With the rows, so that whoever types at once loses nothing.
    focusNext.current?.([...(box.current?.querySelectorAll("[data-row]") ?? [])]);
    focusNext.current = undefined;
  });
  const add = (at = rows.length): void => {
    focusNext.current = (rowBoxes) => rowBoxes[at]?.querySelector("input")?.focus();
    form.insertListItem(path, makeRow(), at);
  };
  /** In a row Enter begins the next one. It does not send a form that is not complete. */
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const { target, key, nativeEvent } = event;
    const isText = target instanceof HTMLInputElement && target.type !== "checkbox";
    if (key !== "Enter" || !isText || nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
    const rowBoxes = [...(box.current?.querySelectorAll("[data-row]") ?? [])];
    const index = rowBoxes.findIndex((one) => one.contains(target));
    if (index === -1) return;
    event.preventDefault();
    const next = rowBoxes[index + 1]?.querySelector("input");
    if (next !== null && next !== undefined && next.value === "") next.focus();
    else if (target.value !== "") add(index + 1);
  };
  const remove = (index: number, button: Element): void => {
    // Only whoever is in the row has to go elsewhere.
    if (button.closest("[data-row]")?.contains(document.activeElement)) {
      focusNext.current = (rowBoxes) => {
        const next = (rowBoxes[index] ?? rowBoxes.at(-1))?.querySelector<HTMLElement>("[data-remove]");
        (next ?? addButton.current)?.focus();
      };
    }
    form.removeListItem(path, index);
  };
  return (
    <Stack gap="xs" ref={box} onKeyDown={onKeyDown}>
      {rows.map(({ row }, index) => (
        <div key={row} data-row>
          {children({
            index,
            path: `${path}.${index}`,
            remove: (
              <ActionIcon
                variant="default"
                size={36}
                data-remove
                aria-label={`Remove ${noun} ${index + 1}`}
                onClick={(event) => remove(index, event.currentTarget)}
              >
                <CrossIcon />
              </ActionIcon>
            ),
          })}
        </div>
      ))}
      <Group>
        <Button ref={addButton} variant="light" size="sm" onClick={() => add()}>
          + Add Another One
        </Button>
      </Group>
    </Stack>
  );
}
