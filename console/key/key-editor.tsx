import { Alert, Button, Group, Loader, Paper, Stack, Text } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useVersionBefore } from "../api/keys.ts";
import type { KeyView } from "../api/types.ts";
import { type KeyAction, KeyActionDialog } from "../keys/key-action-dialog.tsx";
import { KeyActions } from "../keys/key-actions.tsx";
import { nameOf } from "../keys/key-name.ts";
import { StateBadge } from "../keys/state-badge.tsx";
import { CopyAction } from "../parts/copy.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useDraft } from "../parts/drafts.ts";
import { PageTitle } from "../parts/page-title.tsx";
import { part } from "../parts/part.tsx";
import { useSaveKey } from "../parts/save-key.ts";
import { Ago } from "../parts/time.tsx";
import { unsaved, useUnsavedGuard } from "../parts/unsaved.ts";
import { ActivityTab } from "./activity-tab.tsx";
import { KeyFormTabs } from "./key-form-tabs.tsx";
import { settingsOf, type TabId } from "./key-values.ts";
import { MergeDialog } from "./merge-dialog.tsx";
import { PreviewDialog } from "./preview-dialog.tsx";
import { SaveBar } from "./save-bar.tsx";
import { useKeyForm } from "./use-key-form.ts";
import { useSave } from "./use-save.ts";

const SettingsTrial = part(async () => (await import("../explain/settings-trial.tsx")).SettingsTrial, {
  waiting: <Loader size="sm" aria-label="Loading" />,
});

type KeyEditorProps = { readonly newest: KeyView; readonly tab: TabId };

/** The settings of one key while somebody edits them. */
export function KeyEditor({ newest, tab }: KeyEditorProps) {
  const { id } = newest;
  const [, navigate] = useLocation();
  const form = useKeyForm(newest.settings);
  const showTab = (next: TabId): void => navigate(`/keys/${id}/${next}`, { replace: true });
  const save = useSave(newest, form, showTab);
  const { base, isDirty, isBusy } = save;
  const [action, setAction] = useState<KeyAction>();
  const [isAsking, setAsking] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const { data: versions } = useVersionBefore(id, base.version);
  const last = versions?.items[0];

  useUnsavedGuard(
    isDirty,
    useCallback((path: string) => path === `/keys/${id}` || path.startsWith(`/keys/${id}/`), [id]),
  );
  useSaveKey(element);
  useEffect(SettingsTrial.preload, []);
  useDraft(
    `/keys/${id}`,
    () => (isDirty ? { base: base.settings, mine: settingsOf(form.values) } : undefined),
    save.resume,
  );

  const isBehind = newest.version > base.version;
  const { adopt } = save;
  const follow = useRef(adopt);
  follow.current = adopt;
  useEffect(() => {
    // Nothing to lose: show what is.
    if (isBehind && !isDirty && !isBusy) follow.current(newest);
  }, [isBehind, isDirty, isBusy, newest]);

  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4}>
          <Group gap="sm">
            <PageTitle name={nameOf(base)}>{nameOf(base)}</PageTitle>
            <StateBadge state={newest.state} />
          </Group>
          <Group gap="xs">
            <Text size="sm" c="dimmed" className="mono">
              {id}
            </Text>
            <CopyAction text={id} label="Copy the id" />
          </Group>
          <Text size="sm" c="dimmed">
            {newest.connections.toLocaleString("en")} connected · used <Ago at={newest.lastUsedAt} /> ·
            version {base.version}, <Ago at={base.updatedAt} />
          </Text>
        </Stack>
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            disabled={last === undefined || isDirty || isBusy}
            onClick={() => {
              if (last !== undefined) void save.restore(last.version);
            }}
          >
            Undo the last edit
          </Button>
          <Button variant="default" size="xs" onClick={() => setAsking(true)}>
            Why was it denied?
          </Button>
          <KeyActions apiKey={newest} onAction={setAction} onChanged={save.rebase} />
        </Group>
      </Group>
      {isBehind && isDirty && (
        <Alert color="yellow" variant="outline" title="Somebody else changed this key" role="alert">
          <Group justify="space-between">
            <Text size="sm">It is at version {newest.version} now. Your changes are still here.</Text>
            <Button size="xs" variant="default" onClick={() => save.review(newest)}>
              See the difference
            </Button>
          </Group>
        </Alert>
      )}
      <form
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (isDirty && !isBusy) void save.save();
        }}
      >
        <Paper className="panel">
          <KeyFormTabs form={form} tab={tab} onTab={showTab} activity={<ActivityTab keyId={id} />} />
          {tab !== "activity" && (
            <SaveBar isDirty={isDirty} isBusy={isBusy} label="Save" onDiscard={save.discard} />
          )}
        </Paper>
      </form>
      <Dialog opened={isAsking} onClose={() => setAsking(false)} title="Why was it denied?" size="lg">
        <SettingsTrial keyId={id} {...(isDirty ? { unsaved: settingsOf(form.values) } : {})} />
      </Dialog>
      <PreviewDialog question={save.question} onClose={save.dismiss} />
      <MergeDialog question={save.merge} onClose={save.dismiss} onMerged={save.onMerged} />
      <KeyActionDialog
        action={action}
        onClose={() => setAction(undefined)}
        onChanged={save.rebase}
        onDeleted={() => {
          unsaved.release();
          navigate("/keys");
        }}
      />
    </Stack>
  );
}
