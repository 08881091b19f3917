import { Group, Stack, Tabs, Text } from "@mantine/core";
import { useStatus } from "../api/status.ts";
import { CopyAction } from "../parts/copy.tsx";
import { Failure } from "../parts/failure.tsx";
import { type Snippet, snippetsOf } from "./snippet-texts.ts";

/** Ready-made pieces for this very server and key. */
export function Snippets({ secret }: { readonly secret: string }) {
  const status = useStatus();
  if (status.error !== null) return <Failure error={status.error} retry={() => void status.refetch()} />;
  if (status.data === undefined) return null;
  const snippets = snippetsOf(status.data.publicOrigin, secret);
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
