import { Anchor, Breadcrumbs, Paper, PasswordInput, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { PageTitle } from "../parts/page-title.tsx";
import { ExplainForm } from "./explain-form.tsx";
import { requestOf } from "./explain-request.ts";
import { KeyPicker } from "./key-picker.tsx";

/** "Why was it denied?" The address holds the question, so that a refusal links here filled in. */
export function ExplainPage() {
  const [query] = useSearchParams();
  const [keyId, setKeyId] = useState(query.get("keyId") ?? "");
  const [secret, setSecret] = useState("");
  const [by, setBy] = useState<"key" | "secret">("key");
  return (
    <Stack maw={720}>
      <Breadcrumbs>
        <Anchor component={Link} href="/refusals" size="sm">
          Refusals
        </Anchor>
      </Breadcrumbs>
      <PageTitle>Why was it denied?</PageTitle>
      <Text size="sm" c="dimmed">
        Describe the request; the server says what it would decide, and every check on the way. Nothing is
        sent.
      </Text>
      <Paper className="panel" p={{ base: "md", sm: "lg" }}>
        <Stack>
          <SegmentedControl
            aria-label="Whose request"
            value={by}
            onChange={(value) => setBy(value === "secret" ? "secret" : "key")}
            data={[
              { value: "key", label: "A key of the list" },
              { value: "secret", label: "A secret" },
            ]}
          />
          {by === "key" ? (
            <KeyPicker value={keyId} onChange={setKeyId} />
          ) : (
            <PasswordInput
              label="The key that was sent"
              visibilityToggleButtonProps={{ tabIndex: 0, "aria-label": "Show the key" }}
              autoComplete="off"
              value={secret}
              onChange={(event) => setSecret(event.currentTarget.value)}
            />
          )}
          <ExplainForm
            key={by}
            {...(by === "key" ? { keyId } : { secret: secret.trim() })}
            initial={requestOf(query)}
            asksAtOnce={query.get("ask") === "1" && keyId !== ""}
          />
        </Stack>
      </Paper>
    </Stack>
  );
}
