import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import type { AuditEntry } from "../api/refusals.ts";
import { useAudit } from "../api/refusals.ts";
import { isDocument, labelOf } from "../key/settings-fields.ts";
import { Failure } from "../parts/failure.tsx";
import { Ago } from "../parts/time.tsx";
import { Foreign } from "../parts/visible.tsx";

const WORDS: Readonly<Record<string, string>> = {
  "key.created": "Key created",
  "key.changed": "Key changed",
  "key.rotated": "Secret rotated",
  "key.restored": "Earlier settings put back",
  "key.deleted": "Key deleted",
  "keys.imported": "Keys imported",
  "keys.exported": "Keys exported",
  "admin-token.rotated": "Admin token rotated",
  "connection.closed": "Connection closed",
  "channel.published": "Message published",
  "session.opened": "Signed in",
};

/** What was done, by whom, newest first. */
export function AuditList({ keyId, action }: { readonly keyId: string; readonly action: string }) {
  const audit = useAudit({ keyId, action });
  const entries = (audit.data?.pages ?? []).flatMap(({ items }) => items);
  return (
    <Stack gap="xs">
      {audit.error !== null && <Failure error={audit.error} retry={() => void audit.refetch()} />}
      {audit.isSuccess && entries.length === 0 && !audit.hasNextPage && (
        <Text size="sm">{action === "denied" ? "Nothing was refused yet." : "Nothing was done yet."}</Text>
      )}
      <ul className="checks" aria-label="Audit">
        {entries.map((entry) => (
          <li key={entry.id} className="refusal" data-action={entry.action}>
            {entry.action === "denied" ? (
              <RefusalText entry={entry} />
            ) : (
              <EntryText entry={entry} showsKey={keyId === ""} />
            )}
          </li>
        ))}
      </ul>
      {audit.hasNextPage && (
        <Group>
          <Button
            variant="default"
            size="sm"
            loading={audit.isFetchingNextPage}
            onClick={() => void audit.fetchNextPage()}
          >
            Earlier
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function EntryText({ entry, showsKey }: { readonly entry: AuditEntry; readonly showsKey: boolean }) {
  const { action, at, actor, detail, keyId, before, after } = entry;
  const fields = action === "key.created" || action === "key.deleted" ? [] : fieldsOf(before, after);
  return (
    <Stack gap={2}>
      <Group gap="xs">
        <Text size="sm" fw={600}>
          {WORDS[action] ?? action}
        </Text>
        <Text size="sm" c="dimmed">
          <Ago at={at} />
        </Text>
      </Group>
      {fields.map((field) => (
        <Text key={field} size="sm">
          {labelOf(field)}: <del className="removed">{textOf(before, field)}</del>{" "}
          <ins className="added" style={{ textDecoration: "none" }}>
            {textOf(after, field)}
          </ins>
        </Text>
      ))}
      {detail !== undefined && <Text size="sm">{detail}</Text>}
      <Text size="sm" c="dimmed">
        {showsKey && typeof keyId === "string" && (
          <>
            <Anchor component={Link} href={`/keys/${keyId}`} size="sm">
              {keyId}
            </Anchor>
            {" · "}
          </>
        )}
        {actor === undefined ? "" : `${actor.client}, ${actor.address ?? "unknown address"}`}
      </Text>
    </Stack>
  );
}

/** One of the refusals that were written down; the words in it are those of whoever was refused. */
function RefusalText({ entry }: { readonly entry: AuditEntry }) {
  const { at, code = "", wanted, keyId, ip, origin, endpoint, channel, host, alike } = entry;
  const words = [
    keyId,
    wanted,
    endpoint,
    channel === undefined ? undefined : `channel ${channel}`,
    host === undefined ? undefined : `host ${host}`,
    origin === undefined ? "no origin" : `origin ${origin}`,
    `address ${ip ?? "unknown"}`,
  ].filter((word) => typeof word === "string");
  return (
    <Stack gap={2}>
      <Group gap="xs">
        <Text size="sm" fw={600} className="mono">
          {code}
        </Text>
        {alike !== undefined && <Text size="sm">and {alike.toLocaleString("en")} alike before it</Text>}
        <Text size="sm" c="dimmed">
          <Ago at={at} />
        </Text>
      </Group>
      <Text size="sm" c="dimmed">
        <Foreign text={words.join(" · ")} />
      </Text>
    </Stack>
  );
}

const TEXT_MAX = 300;

function fieldsOf(before: unknown, after: unknown): string[] {
  return [
    ...new Set([
      ...Object.keys(isDocument(before) ? before : {}),
      ...Object.keys(isDocument(after) ? after : {}),
    ]),
  ];
}

function textOf(document: unknown, field: string): string {
  const value: unknown = isDocument(document) ? document[field] : undefined;
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "not set");
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
