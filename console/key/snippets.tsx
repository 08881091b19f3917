import { Group, Stack, Tabs, Text } from "@mantine/core";
import { useEndpoints, useStatus } from "../api/status.ts";
import { CopyAction } from "../parts/copy.tsx";
import { Failure } from "../parts/failure.tsx";
import type { Document } from "./settings-fields.ts";
import { type Snippet, snippetsOf } from "./snippet-texts.ts";

type SnippetsProps = { readonly secret: string; readonly settings: Document };

/** Ready-made pieces for this very server and key. */
export function Snippets({ secret, settings }: SnippetsProps) {
  const status = useStatus();
  const endpoints = useEndpoints();
  if (status.error !== null) return <Failure error={status.error} retry={() => void status.refetch()} />;
  if (endpoints.error !== null)
    return <Failure error={endpoints.error} retry={() => void endpoints.refetch()} />;
  if (status.data === undefined || endpoints.data === undefined) return null;
  const { publicOrigin: url, endpointPrefix } = status.data;
  const snippets = snippetsOf({ url, endpointPrefix, secret, settings, endpoints: endpoints.data.items });
  if (snippets.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        This key may do nothing yet: turn on realtime, or choose the endpoints that it may call.
      </Text>
    );
  }
  return (
    <Tabs defaultValue="script" keepMounted={false}>
      <Tabs.List className="tabs">
        {snippets.map(({ id, label }) => (
          <Tabs.Tab key={id} value={id}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map((snippet) => (
        <Tabs.Panel key={snippet.id} value={snippet.id} pt="sm">
          <SnippetText snippet={snippet} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function SnippetText({ snippet: { text, label, note } }: { readonly snippet: Snippet }) {
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {note}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className="snippet" tabIndex={0} aria-label={label}>
        {text}
      </section>
      <Group>
        <CopyAction text={text} label="Copy" />
      </Group>
    </Stack>
  );
}
