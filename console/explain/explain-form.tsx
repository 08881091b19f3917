import { Button, Group, PasswordInput, SegmentedControl, Stack, Textarea } from "@mantine/core";
import type { FieldFaults } from "../api/explain.ts";
import type { Question, Who } from "../parts/explain-link.ts";
import { KeyPicker } from "../parts/key-picker.tsx";
import { RequestFields } from "./request-fields.tsx";

type ExplainFormProps = {
  readonly question: Question;
  readonly onChange: (change: Partial<Question>) => void;
  readonly secret: string;
  readonly onSecret: (secret: string) => void;
  readonly faults: FieldFaults;
  readonly isBusy: boolean;
  readonly onSubmit: () => void;
};

const WHOS: readonly { readonly value: Who; readonly label: string }[] = [
  { value: "key", label: "A key" },
  { value: "secret", label: "A secret" },
  { value: "settings", label: "Unsaved settings" },
];

/** Who asks for what, from where. */
export function ExplainForm({
  question,
  onChange,
  secret,
  onSecret,
  faults,
  isBusy,
  onSubmit,
}: ExplainFormProps) {
  const { who } = question;
  return (
    <form
      aria-label="The request"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <Stack>
        <SegmentedControl
          aria-label="Whose request"
          data={[...WHOS]}
          value={who}
          onChange={(value) => onChange({ who: WHOS.find((one) => one.value === value)?.value ?? "key" })}
        />
        {who === "key" && (
          <KeyPicker
            label="Key"
            value={question.keyId}
            onChange={(keyId) => onChange({ keyId })}
            error={faults.who}
          />
        )}
        {who === "secret" && (
          <PasswordInput
            label="Secret"
            description="What the client sends as its API key. It stays on this page and in no address."
            autoComplete="off"
            visibilityToggleButtonProps={{ tabIndex: 0, "aria-label": "Show the secret" }}
            value={secret}
            error={faults.who}
            aria-invalid={faults.who !== undefined}
            onChange={(event) => onSecret(event.currentTarget.value)}
          />
        )}
        {who === "settings" && (
          <Textarea
            label="Settings"
            description="A key's settings as JSON, as the admin API takes them."
            autosize
            minRows={5}
            maxRows={16}
            spellCheck={false}
            placeholder='{ "name": "web frontend", "allowRealtime": true }'
            value={question.settings}
            error={faults.who}
            classNames={{ input: "mono" }}
            onChange={(event) => onChange({ settings: event.currentTarget.value })}
          />
        )}
        <RequestFields question={question} onChange={onChange} faults={faults} />
        <Group justify="flex-end">
          <Button type="submit" loading={isBusy}>
            Explain
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
