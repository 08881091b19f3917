import { Autocomplete, Group, Select, Text, TextInput, UnstyledButton } from "@mantine/core";
import type { ChangeEvent } from "react";
import type { FieldFaults } from "../api/explain.ts";
import { useEndpoints, useStatus } from "../api/status.ts";
import { EXPLAIN_ACTIONS, type ExplainAction, needsChannel, type Question } from "../parts/explain-link.ts";

const ACTIONS: Readonly<Record<ExplainAction, string>> = {
  connect: "Connect for realtime",
  endpoint: "Call an endpoint",
  join: "Join a channel",
  publish: "Publish to a channel",
  presence: "See who is in a channel",
  history: "Read a channel's history",
  broadcast: "Broadcast to everyone",
};

type RequestFieldsProps = {
  readonly question: Question;
  readonly onChange: (change: Partial<Question>) => void;
  readonly faults: FieldFaults;
};

/** What is asked for, from where. */
export function RequestFields({ question, onChange, faults }: RequestFieldsProps) {
  const { action } = question;
  const fieldOf = (name: "channel" | "origin" | "address") => ({
    value: question[name],
    error: faults[name],
    autoCapitalize: "none",
    spellCheck: false,
    onChange: (event: ChangeEvent<HTMLInputElement>) => onChange({ [name]: event.currentTarget.value }),
  });
  const ownAddress = useStatus().data?.address ?? "";
  return (
    <>
      <Select
        label="Action"
        data={EXPLAIN_ACTIONS.map((value) => ({ value, label: ACTIONS[value] }))}
        value={action}
        allowDeselect={false}
        error={faults.action}
        onChange={(value) => onChange({ action: EXPLAIN_ACTIONS.find((one) => one === value) ?? "connect" })}
      />
      {action === "endpoint" && (
        <EndpointField
          value={question.endpoint}
          onChange={(endpoint) => onChange({ endpoint })}
          error={faults.endpoint}
        />
      )}
      {needsChannel(action) && <TextInput label="Channel" placeholder="chat:lobby" {...fieldOf("channel")} />}
      <TextInput
        label="Origin"
        description="Of the page that asks; empty for a program."
        placeholder="https://app.example.com"
        inputMode="url"
        {...fieldOf("origin")}
      />
      <TextInput
        label="Address"
        description="Of the client, IPv4 or IPv6; empty when it is not known."
        placeholder="203.0.113.7"
        {...fieldOf("address")}
      />
      {ownAddress !== "" && ownAddress !== question.address && (
        <Group>
          <UnstyledButton
            fz="sm"
            c="var(--mantine-color-anchor)"
            onClick={() => onChange({ address: ownAddress })}
          >
            Use my address ({ownAddress})
          </UnstyledButton>
        </Group>
      )}
    </>
  );
}

type EndpointFieldProps = {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
};

const ENDPOINTS_SHOWN = 50;

/** A declared endpoint, or a method and path that one of them may match. */
function EndpointField({ value, onChange, error }: EndpointFieldProps) {
  const endpoints = useEndpoints();
  const status = useStatus();
  const items = endpoints.data?.items ?? [];
  const ids = new Map(items.map(({ id, method, path }) => [`${method} ${path}`, id]));
  const prefix = status.data?.endpointPrefix ?? "";
  return (
    <Autocomplete
      label="Endpoint"
      description={`One that is declared, or a method and a path below the prefix${prefix === "" ? "" : ` ${prefix}`}.`}
      placeholder={[...ids.keys()][0] ?? "GET /orders/7"}
      data={[...ids.keys()]}
      limit={ENDPOINTS_SHOWN}
      value={value}
      error={error}
      spellCheck={false}
      autoCapitalize="none"
      onChange={onChange}
      renderOption={({ option }) => (
        <div>
          <Text size="sm" className="mono">
            {option.value}
          </Text>
          <Text size="xs" c="dimmed">
            {ids.get(option.value)}
          </Text>
        </div>
      )}
    />
  );
}
