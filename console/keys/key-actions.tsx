import { ActionIcon, Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { patchKey } from "../api/keys.ts";
import type { KeyView } from "../api/types.ts";
import { DotsIcon } from "../parts/icons.tsx";
import { tell, tellFailure } from "../parts/tell.ts";
import type { KeyAction } from "./key-action-dialog.tsx";
import { nameOf } from "./key-name.ts";

type KeyActionsProps = {
  readonly apiKey: KeyView;
  readonly onAction: (action: KeyAction) => void;
  readonly onChanged?: (key: KeyView) => void;
  readonly children?: ReactNode;
};

/** What can be done to a whole key. */
export function KeyActions({ apiKey, onAction, onChanged, children }: KeyActionsProps) {
  const name = nameOf(apiKey);
  const enable = (): void => {
    patchKey(apiKey.id, apiKey.version, { enabled: true }).then((key) => {
      tell(`“${name}” is enabled.`);
      onChanged?.(key);
    }, tellFailure);
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size={32} aria-label={`Actions for ${name}`}>
          <DotsIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {children}
        <Menu.Item onClick={() => onAction({ kind: "duplicate", key: apiKey })}>Duplicate</Menu.Item>
        <Menu.Item onClick={() => onAction({ kind: "rotate", key: apiKey })}>Rotate the secret</Menu.Item>
        {apiKey.settings["enabled"] === false ? (
          <Menu.Item onClick={enable}>Enable</Menu.Item>
        ) : (
          <Menu.Item onClick={() => onAction({ kind: "disable", key: apiKey })}>Disable</Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item onClick={() => onAction({ kind: "delete", key: apiKey })}>Delete</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
