import { useRef, useState } from "react";
import { type KeyPreview, patchKey, previewKey, previewVersion, readKey, restoreKey } from "../api/keys.ts";
import { ApiError } from "../api/problem.ts";
import type { Fault, KeyView } from "../api/types.ts";
import type { Draft } from "../parts/drafts.ts";
import { tell, tellFailure } from "../parts/tell.ts";
import { errorsOf, refreshed, settingsOf, type TabId, tabOf, valuesOf, withoutBlanks } from "./key-values.ts";
import type { MergeQuestion } from "./merge-dialog.tsx";
import type { PreviewQuestion } from "./preview-dialog.tsx";
import {
  compareEdits,
  type Document,
  isDocument,
  isSame,
  mergedOf,
  mergePatchOf,
  unpatchableNulls,
} from "./settings-fields.ts";
import type { KeyForm } from "./use-key-form.ts";

export type Save = {
  /** What the form's changes are changes of. */
  readonly base: KeyView;
  readonly isDirty: boolean;
  readonly isBusy: boolean;
  readonly question: PreviewQuestion | undefined;
  readonly merge: MergeQuestion | undefined;
  save(): Promise<void>;
  /** Puts earlier settings back. */
  restore(version: number): Promise<void>;
  discard(): void;
  /** Goes on with what was typed before the page was loaded anew. */
  resume(draft: Draft): void;
  /** A newer version, by whomever: the form follows where it has no changes of its own. */
  adopt(key: KeyView): void;
  /** A newer version by this very page: its changes stay changes. */
  rebase(key: KeyView): void;
  review(theirs: KeyView): void;
  onMerged(settings: Document, theirs: KeyView, isToBeSaved: boolean): void;
  dismiss(): void;
};

/** The way from the form to the key: preview, question, save, and what two people do at the same time. */
export function useSave(loaded: KeyView, form: KeyForm, showTab: (tab: TabId) => void): Save {
  const [base, setBase] = useState(loaded);
  const [isBusy, setBusy] = useState(false);
  const [question, setQuestion] = useState<PreviewQuestion>();
  const [merge, setMerge] = useState<MergeQuestion>();
  // Saving goes on after a dialog: it is about what is on the page then, not when it was rendered.
  const newest = useRef({ base, form });
  newest.current = { base, form };

  // Compared as the form shows it, so that what it cannot show is no change of anybody.
  const shown = settingsOf(valuesOf(base.settings));
  const isDirty = !isSame(shown, settingsOf(form.values));

  const show = (settings: Document): void => form.setValues(refreshed(form.getValues(), valuesOf(settings)));

  const adopt = (key: KeyView): void => {
    setBase(key);
    form.clearErrors();
    show(key.settings);
  };

  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      await explain(error);
    } finally {
      setBusy(false);
    }
  };

  const showFaults = (faults: readonly Fault[]): void => {
    form.setErrors(errorsOf(faults));
    const [first] = faults;
    if (first !== undefined) showTab(tabOf(first.pointer));
    // The fault is rendered first.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };

  const explain = async (error: unknown): Promise<void> => {
    if (error instanceof ApiError && error.code === "invalid_settings" && error.faults.length > 0) {
      showFaults(error.faults);
      return;
    }
    if (error instanceof ApiError && error.status === 412) {
      const theirs = await readKey(base.id);
      review(theirs);
      return;
    }
    tellFailure(error);
  };

  const review = (theirs: KeyView): void => {
    const now = newest.current;
    const mine = settingsOf(withoutBlanks(now.form.values));
    setMerge({ base: now.base.settings, mine: { ...unshown(now.base.settings), ...mine }, theirs });
  };

  const finish = (
    key: KeyView & { readonly warnings: readonly { readonly message: string }[] },
    word: string,
  ): void => {
    adopt(key);
    const [warning] = key.warnings;
    tell(warning === undefined ? word : `${word} Note: ${warning.message}.`);
  };

  const askAndGo = async (preview: Promise<KeyPreview>, go: () => Promise<void>): Promise<void> => {
    const answer = await preview;
    if (answer.closing > 0 || answer.leaving > 0) {
      setQuestion({ preview: answer, go: () => void run(go) });
    } else await go();
  };

  const saveFrom = async (from: KeyView, settings: Document): Promise<void> => {
    const stored = settingsOf(valuesOf(from.settings));
    const faults = nullFaults(stored, settings);
    if (faults.length > 0) {
      showFaults(faults);
      return;
    }
    const patch = mergePatchOf(stored, settings);
    await run(() =>
      askAndGo(previewKey(newest.current.base.id, patch), async () =>
        finish(await patchKey(from.id, from.version, patch), "Saved."),
      ),
    );
  };

  return {
    base,
    isDirty,
    isBusy,
    question,
    merge,
    adopt,
    review,
    rebase(key) {
      const { base: from, form: now } = newest.current;
      const mine = settingsOf(now.values);
      const { mine: alone, both } = compareEdits(settingsOf(valuesOf(from.settings)), mine, key.settings);
      setBase(key);
      show(mergedOf(mine, key.settings, [...alone, ...both]));
    },
    save() {
      const values = withoutBlanks(form.values);
      form.clearErrors();
      form.setValues(values);
      return saveFrom(base, settingsOf(values));
    },
    restore(version) {
      return run(() =>
        askAndGo(previewVersion(base.id, version), async () =>
          finish(await restoreKey(base.id, base.version, version), `Version ${version} is back.`),
        ),
      );
    },
    resume({ base: before, mine }) {
      const { mine: alone, both } = compareEdits(settingsOf(valuesOf(before)), mine, base.settings);
      show(mergedOf(mine, base.settings, [...alone, ...both]));
    },
    discard() {
      adopt(base);
    },
    onMerged(settings, theirs, isToBeSaved) {
      setMerge(undefined);
      setBase(theirs);
      show(settings);
      if (isToBeSaved) void saveFrom(theirs, settingsOf(valuesOf(settings)));
    },
    dismiss() {
      setQuestion(undefined);
      setMerge(undefined);
    },
  };
}

/** What a change cannot say of the metadata. A key that is new can have it: it is sent as a whole. */
function nullFaults({ metadata: before }: Document, { metadata: after }: Document): Fault[] {
  if (!isDocument(after)) return [];
  return unpatchableNulls(isDocument(before) ? before : {}, after).map((pointer) => ({
    pointer: `/metadata${pointer}`,
    message: `${pointer} cannot be changed to null: leave it out, or give it another value`,
  }));
}

/** Fields that this page does not know stay as they are. */
function unshown(settings: Document): Document {
  const known = new Set(Object.keys(settingsOf(valuesOf(settings))));
  known.add("channels").add("broadcastTo").add("limits");
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !known.has(name)));
}
