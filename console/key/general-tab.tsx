import { Divider, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { EndpointField } from "./endpoint-field.tsx";
import { ExpiryField } from "./expiry-field.tsx";
import { errorAt, type KeyForm } from "./use-key-form.ts";

/** The name, realtime, endpoints, the end. */
export function GeneralTab({ form }: { readonly form: KeyForm }) {
  return (
    <Stack gap="lg">
      <TextInput
        label="Key name"
        description="2 to 64 characters."
        required
        withAsterisk={false}
        autoComplete="off"
        maw={460}
        {...form.getInputProps("name")}
      />
      <Switch
        label="Allow realtime"
        description="Connections and channels, over WebSocket and HTTP."
        {...form.getInputProps("allowRealtime", { type: "checkbox" })}
      />
      <Divider />
      <EndpointField form={form} />
      <Divider />
      <ExpiryField
        value={form.values.expiresAt}
        error={errorAt(form, "expiresAt")}
        onChange={(value) => {
          form.clearFieldError("expiresAt");
          form.setFieldValue("expiresAt", value);
        }}
      />
      <Divider />
      <Textarea
        label="Metadata"
        description="A JSON object of your own; the server keeps it and does not read it."
        placeholder={'{ "team": "web" }'}
        autosize
        minRows={2}
        maxRows={12}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        {...form.getInputProps("metadata")}
      />
    </Stack>
  );
}
