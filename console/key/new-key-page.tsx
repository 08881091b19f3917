import { Paper, Stack, Text } from "@mantine/core";
import { useCallback, useRef, useState } from "react";
import { useLocation } from "wouter";
import { createKey } from "../api/keys.ts";
import { ApiError } from "../api/problem.ts";
import { nameOf } from "../keys/key-name.ts";
import { useDraft } from "../parts/drafts.ts";
import { PageTitle } from "../parts/page-title.tsx";
import { useSaveKey } from "../parts/save-key.ts";
import { tell, tellFailure } from "../parts/tell.ts";
import { unsaved, useUnsavedGuard } from "../parts/unsaved.ts";
import { KeyFormTabs } from "./key-form-tabs.tsx";
import { errorsOf, NEW_KEY, settingsOf, type TabId, tabOf, valuesOf, withoutBlanks } from "./key-values.ts";
import { SaveBar } from "./save-bar.tsx";
import { secretToShow } from "./secret-to-show.ts";
import { isSame } from "./settings-fields.ts";
import { useKeyForm } from "./use-key-form.ts";

/** A key before it exists: the same tabs, then its secret. */
export function NewKeyPage() {
  const form = useKeyForm(NEW_KEY);
  const [tab, setTab] = useState<TabId>("general");
  const [isBusy, setBusy] = useState(false);
  const [, navigate] = useLocation();
  const element = useRef<HTMLFormElement>(null);
  const isDirty = !isSame(settingsOf(valuesOf(NEW_KEY)), settingsOf(form.values));
  useUnsavedGuard(
    isDirty,
    useCallback((path: string) => path === "/keys/new", []),
  );
  useSaveKey(element);
  useDraft(
    "/keys/new",
    () => (isDirty ? { base: NEW_KEY, mine: settingsOf(form.values) } : undefined),
    ({ mine }) => form.setValues(valuesOf(mine)),
  );

  const create = async (): Promise<void> => {
    setBusy(true);
    const values = withoutBlanks(form.values);
    form.clearErrors();
    form.setValues(values);
    try {
      const made = await createKey(settingsOf(values));
      secretToShow.show({
        name: nameOf(made),
        secret: made.secret,
        settings: made.settings,
        reason: "created",
      });
      const [warning] = made.warnings ?? [];
      if (warning !== undefined) tell(`Note: ${warning.message}.`);
      unsaved.release();
      navigate(`/keys/${made.id}`, { replace: true });
    } catch (error) {
      if (error instanceof ApiError && error.faults.length > 0) {
        form.setErrors(errorsOf(error.faults));
        setTab(tabOf(error.faults[0]?.pointer ?? ""));
        requestAnimationFrame(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      } else tellFailure(error);
      setBusy(false);
    }
  };

  return (
    <Stack>
      <PageTitle>New API key</PageTitle>
      <Text c="dimmed" size="sm">
        Its secret is shown once, after you have made it.
      </Text>
      <form
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void create();
        }}
      >
        <Paper className="panel">
          <KeyFormTabs form={form} tab={tab} onTab={setTab} />
          <SaveBar isDirty={isDirty} isBusy={isBusy} label="Create the key" />
        </Paper>
      </form>
    </Stack>
  );
}
