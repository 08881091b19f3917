import { Button, Group, SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import {
  type Asked,
  type FieldFaults,
  faultsOfError,
  faultsOfQuestion,
  useExplanation,
} from "../api/explain.ts";
import type { Document } from "../key/settings-fields.ts";
import { type Question, questionOf } from "../parts/explain-link.ts";
import { Failure } from "../parts/failure.tsx";
import { ExplainAnswer } from "./explain-answer.tsx";
import { RequestFields } from "./request-fields.tsx";

type SettingsTrialProps = {
  readonly keyId: string;
  /** The key's settings as they stand in a form; absent when they are what is stored. */
  readonly unsaved?: Document;
};

/** Asks about one key from within its page: as it is stored, or as it is being edited. */
export function SettingsTrial({ keyId, unsaved }: SettingsTrialProps) {
  const [request, setRequest] = useState<Question>(() => questionOf(new URLSearchParams()));
  const [isEdited, setEdited] = useState(true);
  const [asked, setAsked] = useState<Asked>();
  const [faults, setFaults] = useState<FieldFaults>({});
  const explanation = useExplanation(asked);
  const usesEdited = unsaved !== undefined && isEdited;
  const ask = (): void => {
    const next: Asked = {
      ...request,
      secret: "",
      ...(usesEdited
        ? { who: "settings", keyId: "", settings: JSON.stringify(unsaved) }
        : { who: "key", keyId, settings: "" }),
    };
    const found = faultsOfQuestion(next);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    setAsked(next);
    void explanation.refetch();
  };
  const refused = faultsOfError(explanation.error);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <Stack>
        {unsaved !== undefined && (
          <SegmentedControl
            aria-label="Whose settings"
            value={isEdited ? "edited" : "saved"}
            onChange={(value) => setEdited(value === "edited")}
            data={[
              { value: "edited", label: "As edited here" },
              { value: "saved", label: "As saved" },
            ]}
          />
        )}
        <RequestFields
          question={request}
          onChange={(change) => {
            setRequest({ ...request, ...change });
            setFaults({});
          }}
          faults={{ ...refused, ...faults }}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={explanation.isFetching}>
            Explain
          </Button>
        </Group>
        <div aria-live="polite">
          {explanation.error !== null && (refused === undefined || refused.who !== undefined) ? (
            <Failure error={explanation.error} />
          ) : (
            asked !== undefined &&
            explanation.data !== undefined && (
              <ExplainAnswer asked={asked} explanation={explanation.data} isOld={false} isEmbedded />
            )
          )}
        </div>
      </Stack>
    </form>
  );
}
