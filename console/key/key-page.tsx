import { Anchor, Breadcrumbs, Stack } from "@mantine/core";
import { Link } from "wouter";
import { useKey } from "../api/keys.ts";
import { ApiError } from "../api/problem.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { Waiting } from "../shell/waiting.tsx";
import { KeyEditor } from "./key-editor.tsx";
import { tabIdOf } from "./key-form-tabs.tsx";

/** One key: its settings and what happened with it. */
export function KeyPage({ id, tab }: { readonly id: string; readonly tab: string }) {
  const key = useKey(id);
  if (key.data === undefined) {
    if (key.error === null) return <Waiting />;
    const isGone = key.error instanceof ApiError && key.error.status === 404;
    return (
      <Stack>
        <PageTitle>{isGone ? "This key is gone" : "API key"}</PageTitle>
        <Failure error={key.error} retry={() => void key.refetch()} />
        <Anchor component={Link} href="/keys">
          To the API keys
        </Anchor>
      </Stack>
    );
  }
  const isGone = key.error instanceof ApiError && key.error.status === 404;
  return (
    <Stack>
      <Breadcrumbs>
        <Anchor component={Link} href="/keys" size="sm">
          API keys
        </Anchor>
      </Breadcrumbs>
      {isGone && <Failure error={new Error("Somebody deleted this key. What you see is what it was.")} />}
      <KeyEditor newest={key.data} tab={tabIdOf(tab)} />
    </Stack>
  );
}
