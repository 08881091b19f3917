import {
  Button,
  Checkbox,
  CloseButton,
  Group,
  Paper,
  ScrollArea,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { useEndpoints } from "../api/status.ts";
import type { EndpointMode, EndpointView } from "../api/types.ts";
import { ModeChoice } from "./mode-choice.tsx";
import { errorAt, type KeyForm } from "./use-key-form.ts";

const MODES: readonly { readonly value: EndpointMode; readonly label: string }[] = [
  { value: "no-access", label: "No Access" },
  { value: "full-access", label: "Full Access" },
  { value: "custom-allowed", label: "Custom Allowed Endpoints" },
  { value: "custom-excluded", label: "Custom Exclude Endpoints" },
];
const SHOWN_MAX = 200;

/** Which endpoints the key may call. */
export function EndpointField({ form }: { readonly form: KeyForm }) {
  const { mode } = form.values.endpoints;
  return (
    <Stack gap="sm">
      <ModeChoice
        label="Endpoint access"
        error={errorAt(form, "endpoints.mode") ?? errorAt(form, "endpoints")}
        modes={MODES}
        value={mode}
        onChange={(next) => form.setFieldValue("endpoints.mode", next)}
      />
      {(mode === "custom-allowed" || mode === "custom-excluded") && (
        <EndpointPicker form={form} verb={mode === "custom-allowed" ? "Allowed" : "Excluded"} />
      )}
    </Stack>
  );
}

const lineOf = ({ method, path }: EndpointView): string => `${method} ${path}`;

function EndpointPicker({ form, verb }: { readonly form: KeyForm; readonly verb: string }) {
  const [filter, setFilter] = useState("");
  const [entry, setEntry] = useState("");
  const endpoints = useEndpoints().data?.items ?? [];
  const { list } = form.values.endpoints;
  const chosen = new Set(list);
  const wanted = filter.trim().toLowerCase();
  const found = endpoints.filter((one) => `${one.id} ${lineOf(one)}`.toLowerCase().includes(wanted));
  const others = list.filter((text) => !endpoints.some((one) => text === one.id || text === lineOf(one)));
  const set = (next: readonly string[]): void => form.setFieldValue("endpoints.list", [...next]);
  const toggle = (endpoint: EndpointView, isChosen: boolean): void => {
    const rest = list.filter((text) => text !== endpoint.id && text !== lineOf(endpoint));
    set(isChosen ? [...rest, endpoint.id] : rest);
  };
  const add = (): void => {
    const text = entry.trim();
    if (text !== "" && !chosen.has(text)) set([...list, text]);
    setEntry("");
  };
  const faults = Object.entries(form.errors).filter(([path]) => path.startsWith("endpoints.list"));
  return (
    <Paper className="panel" p="sm" role="group" aria-label={`${verb} endpoints`}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" fw={500}>
            {verb} endpoints
          </Text>
          <Text size="sm" c="dimmed" role="status">
            {list.length} chosen
          </Text>
        </Group>
        <TextInput
          aria-label="Filter the declared endpoints"
          placeholder="Filter by id, method or path"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <ScrollArea.Autosize mah={260} type="auto" viewportProps={{ tabIndex: 0 }}>
          <Stack gap="xs" p={2}>
            {found.slice(0, SHOWN_MAX).map((endpoint) => (
              <Checkbox
                key={endpoint.id}
                checked={chosen.has(endpoint.id) || chosen.has(lineOf(endpoint))}
                onChange={(event) => toggle(endpoint, event.currentTarget.checked)}
                label={<span className="mono">{lineOf(endpoint)}</span>}
                description={endpoint.id}
              />
            ))}
            {found.length > SHOWN_MAX && (
              <Text size="sm" c="dimmed">
                And {found.length - SHOWN_MAX} more: filter to see them.
              </Text>
            )}
            {found.length === 0 && (
              <Text size="sm" c="dimmed">
                {endpoints.length === 0 ? "This server declares no endpoints." : "No endpoint is like that."}
              </Text>
            )}
          </Stack>
        </ScrollArea.Autosize>
        {others.slice(0, SHOWN_MAX).map((text) => (
          <Group key={text} gap="xs" wrap="nowrap">
            <CloseButton
              aria-label={`Remove ${text}`}
              onClick={() => set(list.filter((one) => one !== text))}
            />
            <Text size="sm" className="mono">
              {text}
            </Text>
            <Text size="xs" c="dimmed">
              not declared
            </Text>
          </Group>
        ))}
        {faults.map(([path, message]) => (
          <Text key={path} size="sm" c="var(--mantine-color-error)" role="alert">
            {list[Number(path.slice("endpoints.list.".length))] ?? "The list"}: {message}
          </Text>
        ))}
        <Group align="flex-end" gap="xs">
          <TextInput
            label="One that is not declared yet"
            placeholder="POST /orders, or an id"
            value={entry}
            maxLength={512}
            flex={1}
            onChange={(event) => setEntry(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              add();
            }}
          />
          <Button variant="default" onClick={add} disabled={entry.trim() === ""}>
            Add
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
