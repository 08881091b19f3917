import {
  Autocomplete,
  Button,
  Group,
  NativeSelect,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { messageOf } from "../api/problem.ts";
import { type Explanation, explain } from "../api/refusals.ts";
import { useEndpoints, useStatus } from "../api/status.ts";
import type { Document } from "../key/settings-fields.ts";
import { ACTIONS, bodyOf, type ExplainRequest, needsChannel, needsEndpoint } from "./explain-request.ts";
import { ExplanationView } from "./explanation-view.tsx";

type ExplainFormProps = {
  /** Whose rules: a stored key, or a secret that somebody uses. */
  readonly keyId?: string;
  readonly secret?: string;
  /** The key's settings as they stand in a form. */
  readonly unsaved?: Document;
  readonly initial: ExplainRequest;
  readonly asksAtOnce?: boolean;
};

/** A request that nobody has to send: what would become of it, and why. */
export function ExplainForm({
  keyId = "",
  secret = "",
  unsaved,
  initial,
  asksAtOnce = false,
}: ExplainFormProps) {
  const [request, setRequest] = useState(initial);
  const [rules, setRules] = useState<"saved" | "unsaved">(unsaved === undefined ? "saved" : "unsaved");
  const [explanation, setExplanation] = useState<Explanation>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const endpoints = useEndpoints().data?.items ?? [];
  const address = useStatus().data?.address ?? null;
  const set = (change: Partial<ExplainRequest>): void => setRequest({ ...request, ...change });
  const usesUnsaved = unsaved !== undefined && rules === "unsaved";

  const ask = useCallback(async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    const whose = usesUnsaved ? { settings: unsaved } : secret !== "" ? { apiKey: secret } : { keyId };
    try {
      setExplanation(await explain({ ...whose, request: bodyOf(request) }));
    } catch (failure) {
      setExplanation(undefined);
      setError(messageOf(failure));
    } finally {
      setBusy(false);
    }
  }, [usesUnsaved, unsaved, secret, keyId, request]);

  const isFirst = useRef(asksAtOnce);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    void ask();
  }, [ask]);

  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void ask();
      }}
    >
      <Stack>
        {unsaved !== undefined && (
          <SegmentedControl
            aria-label="Whose settings"
            value={rules}
            onChange={(value) => setRules(value === "saved" ? "saved" : "unsaved")}
            data={[
              { value: "unsaved", label: "As edited here" },
              { value: "saved", label: "As saved" },
            ]}
          />
        )}
        <NativeSelect
          label="What was tried"
          data={ACTIONS.map(({ value, label }) => ({ value, label }))}
          value={request.action}
          onChange={(event) => set({ action: event.currentTarget.value })}
        />
        {needsEndpoint(request.action) && (
          <Autocomplete
            label="Endpoint"
            description="Its id, or METHOD /path below the prefix."
            placeholder="POST /orders"
            data={[...new Set(endpoints.map(({ method, path }) => `${method} ${path}`))]}
            value={request.endpoint}
            limit={50}
            onChange={(endpoint) => set({ endpoint })}
          />
        )}
        {needsChannel(request.action) && (
          <TextInput
            label="Channel"
            placeholder="lobby"
            value={request.channel}
            onChange={(event) => set({ channel: event.currentTarget.value })}
          />
        )}
        <TextInput
          label="Origin"
          description="The page's origin. Empty: a program, which sends none."
          placeholder="https://app.example.com"
          value={request.origin}
          onChange={(event) => set({ origin: event.currentTarget.value })}
        />
        <Group align="flex-end" gap="xs">
          <TextInput
            label="Address"
            placeholder="203.0.113.7"
            flex={1}
            value={request.ip}
            onChange={(event) => set({ ip: event.currentTarget.value })}
          />
          <Button variant="default" disabled={address === null} onClick={() => set({ ip: address ?? "" })}>
            Mine
          </Button>
        </Group>
        <Group>
          <Button type="submit" loading={isBusy} disabled={!usesUnsaved && keyId === "" && secret === ""}>
            Explain
          </Button>
        </Group>
        <div role="status" aria-live="polite">
          {error !== undefined && (
            <Text c="var(--mantine-color-error)" size="sm">
              {error}
            </Text>
          )}
          {explanation !== undefined && <ExplanationView explanation={explanation} />}
        </div>
      </Stack>
    </form>
  );
}
