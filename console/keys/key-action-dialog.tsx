import { NativeSelect, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { deleteKey, duplicateKey, patchKey, previewKey, rotateKey } from "../api/keys.ts";
import { ApiError, messageOf } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import type { KeyView } from "../api/types.ts";
import { secretToShow } from "../key/secret-to-show.ts";
import { Dialog } from "../parts/dialog.tsx";
import { DialogForm } from "../parts/dialog-form.tsx";
import { useLast } from "../parts/once.ts";
import { tell } from "../parts/tell.ts";
import { nameOf } from "./key-name.ts";

export type KeyAction = {
  readonly kind: "duplicate" | "rotate" | "disable" | "delete";
  readonly key: KeyView;
};

const TITLES: Readonly<Record<KeyAction["kind"], string>> = {
  duplicate: "Duplicate this key",
  rotate: "Rotate the secret",
  disable: "Disable this key",
  delete: "Delete this key",
};

type ActionDialogProps = {
  readonly action: KeyAction | undefined;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
  readonly onChanged?: (key: KeyView) => void;
};

/** What is done to a whole key, each with a word about what it does to those who use it now. */
export function KeyActionDialog({ action, onClose, onDeleted, onChanged }: ActionDialogProps) {
  const shown = useLast(action);
  return (
    <Dialog
      opened={action !== undefined}
      onClose={onClose}
      title={shown === undefined ? "" : TITLES[shown.kind]}
      centered
    >
      {shown !== undefined && (
        <ActionForm
          key={`${shown.kind} ${shown.key.id}`}
          action={shown}
          onClose={onClose}
          onDeleted={onDeleted}
          onChanged={onChanged}
        />
      )}
    </Dialog>
  );
}

function ActionForm({
  action: { kind, key },
  onClose,
  onDeleted,
  onChanged,
}: {
  readonly action: KeyAction;
  readonly onClose: () => void;
  readonly onDeleted: (() => void) | undefined;
  readonly onChanged: ((key: KeyView) => void) | undefined;
}) {
  const [, navigate] = useLocation();
  const name = nameOf(key);
  const [copyName, setCopyName] = useState(`${Array.from(name).slice(0, 57).join("")} (copy)`);
  const [overlap, setOverlap] = useState("86400");
  const run = async (): Promise<void> => {
    switch (kind) {
      case "duplicate": {
        const made = await duplicateKey(key.id, copyName);
        secretToShow.show({
          name: nameOf(made),
          secret: made.secret,
          settings: made.settings,
          reason: "created",
        });
        navigate(`/keys/${made.id}`);
        break;
      }
      case "rotate": {
        const rotated = await rotateKey(key.id, key.version, Number(overlap));
        const { secret, settings } = rotated;
        secretToShow.show({ name, secret, settings, reason: "rotated" });
        onChanged?.(rotated);
        break;
      }
      case "disable": {
        const disabled = await patchKey(key.id, key.version, { enabled: false });
        onChanged?.(disabled);
        tell(`“${name}” is disabled.`);
        break;
      }
      case "delete":
        await deleteKey(key.id, key.version);
        tell(`“${name}” is deleted.`);
        onDeleted?.();
    }
  };
  const confirm = { run, onClose, keyId: key.id };
  if (kind === "duplicate") {
    return (
      <Confirmation {...confirm} verb="Duplicate">
        <Text size="sm">The new key has the same settings and a secret of its own.</Text>
        <TextInput
          label="Name of the new key"
          value={copyName}
          data-autofocus
          required
          onChange={(event) => setCopyName(event.currentTarget.value)}
        />
      </Confirmation>
    );
  }
  if (kind === "rotate") {
    return (
      <Confirmation {...confirm} verb="Rotate">
        <Text size="sm">
          “{name}” gets a new secret. Those who use the old one are let in until the overlap ends, and are
          then disconnected.
        </Text>
        <NativeSelect
          label="The old secret works for"
          data={OVERLAPS}
          value={overlap}
          onChange={(event) => setOverlap(event.currentTarget.value)}
        />
        {overlap === "0" && <WillClose apiKey={key} />}
      </Confirmation>
    );
  }
  return (
    <Confirmation {...confirm} verb={kind === "disable" ? "Disable" : "Delete"} isDangerous>
      <Text size="sm">
        {kind === "disable"
          ? `“${name}” lets nobody in until it is enabled again.`
          : `“${name}” is gone for good, with its secret and its history.`}
      </Text>
      <WillClose apiKey={key} />
    </Confirmation>
  );
}

const OVERLAPS = [
  { value: "0", label: "Not at all: it ends now" },
  { value: "3600", label: "One hour" },
  { value: "86400", label: "One day" },
  { value: "604800", label: "Seven days" },
  { value: "2592000", label: "Thirty days" },
];

/** How many connections the end of this key (or of its secrets) closes at once. */
function WillClose({ apiKey }: { readonly apiKey: KeyView }) {
  const preview = useQuery({
    queryKey: ["key", apiKey.id, "end"],
    queryFn: () => previewKey(apiKey.id, { enabled: false }),
    retry: false,
    staleTime: 0,
  });
  // A key with settings that cannot be read has nobody connected.
  const closing = preview.data?.closing ?? apiKey.connections;
  const text =
    closing === 0
      ? "Nobody is connected with it."
      : `This closes ${closing === 1 ? "1 connection" : `${closing.toLocaleString("en")} connections`} at once.`;
  return (
    <Text size="sm" fw={600} role="status">
      {preview.isPending ? "Counting its connections…" : text}
    </Text>
  );
}

type ConfirmationProps = {
  readonly verb: string;
  readonly isDangerous?: boolean;
  readonly keyId: string;
  readonly run: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

function Confirmation({ keyId, run, ...form }: ConfirmationProps) {
  const runOnce = async (): Promise<void> => {
    try {
      await run();
    } catch (failure) {
      void queries.invalidateQueries({ queryKey: ["key", keyId] });
      void queries.invalidateQueries({ queryKey: ["keys"] });
      throw failure;
    }
  };
  return <DialogForm {...form} run={runOnce} failureText={failureText} />;
}

function failureText(failure: unknown): string {
  if (failure instanceof ApiError && failure.status === 412) {
    return "Somebody changed this key in between. Look at it again before you go on.";
  }
  return messageOf(failure);
}
