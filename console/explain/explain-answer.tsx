import { Anchor, Badge, Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import type { Asked, Explanation } from "../api/explain.ts";
import { sentence } from "../api/problem.ts";
import type { Check } from "../api/types.ts";
import { CopyAction } from "../parts/copy.tsx";
import { isWholeInLink } from "../parts/explain-link.ts";
import { CheckIcon, CrossIcon } from "../parts/icons.tsx";
import { visible } from "../parts/visible.tsx";

type ExplainAnswerProps = {
  readonly asked: Asked;
  readonly explanation: Explanation;
  /** The form says something else by now. */
  readonly isOld: boolean;
  /** Within the page of its key: no links out of it. */
  readonly isEmbedded?: boolean;
};

/** The decision, and the checks that lead to it. */
export function ExplainAnswer({ asked, explanation, isOld, isEmbedded = false }: ExplainAnswerProps) {
  const { decision, checks } = explanation;
  const decisive = decision.allowed ? -1 : checks.findIndex(({ passed }) => !passed);
  const note = noteOf(asked, explanation);
  return (
    <Paper className="panel" p="md" component="section" aria-label="Answer" opacity={isOld ? 0.55 : 1}>
      <Stack gap="sm">
        <Group gap="xs" align="center">
          <Box component="span" c={decision.allowed ? GOOD : BAD} lh={0}>
            {decision.allowed ? <CheckIcon /> : <CrossIcon />}
          </Box>
          <Title order={2} size="h4">
            {decision.allowed ? "Allowed" : "Denied"}
          </Title>
          {!decision.allowed && (
            <Badge variant="default" tt="none" className="mono">
              {decision.code} · {decision.status}
            </Badge>
          )}
        </Group>
        {!decision.allowed && <Text>{sentence(visible(decision.message))}.</Text>}
        {note !== undefined && (
          <Text size="sm" c="dimmed">
            {note}
          </Text>
        )}
        <ol className="checks" aria-label="Checks in order">
          {checks.map((check, index) => (
            <CheckRow
              // Limits come one by one, each with its name.
              key={`${check.check} ${check.message}`}
              check={check}
              isDecisive={index === decisive}
              keyId={asked.who === "key" && !isEmbedded ? asked.keyId : ""}
            />
          ))}
        </ol>
        {!isEmbedded && (
          <Group justify="space-between">
            <Text size="xs" c="dimmed">
              {isOld ? "This answers the question before your changes." : "As the settings are now."}
            </Text>
            {isWholeInLink(asked) && <CopyAction text={location.href} label="Copy a link to this" />}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

const GOOD = "var(--good)";
const BAD = "var(--bad)";

const NAMES: Readonly<Record<string, string>> = {
  key: "Key",
  enabled: "Enabled",
  expiry: "Expiry",
  realtime: "Realtime",
  endpoint: "Endpoint",
  domain: "Web origin",
  ip: "Address",
  channel: "Channel",
  limit: "Limit",
};
/** Where in a key's settings a check is mended. */
const TABS: Readonly<Record<string, string>> = {
  enabled: "general",
  expiry: "general",
  realtime: "general",
  endpoint: "general",
  domain: "domains",
  ip: "ips",
  channel: "channels",
  limit: "limits",
};

type CheckRowProps = { readonly check: Check; readonly isDecisive: boolean; readonly keyId: string };

function CheckRow({ check: { check, passed, message }, isDecisive, keyId }: CheckRowProps) {
  // The server writes "what was compared? no: what mends it".
  const [compared = "", ...fix] = visible(message).split("? no: ");
  const tab = TABS[check];
  return (
    <li data-check={check} data-passed={passed}>
      <Box component="span" c={passed ? GOOD : BAD} pt={2}>
        {passed ? <CheckIcon /> : <CrossIcon />}
      </Box>
      <div>
        <Group gap="xs">
          <Text fw={600} size="sm" component="span">
            {NAMES[check] ?? check}
          </Text>
          <Text size="sm" c={passed ? GOOD : BAD} component="span">
            {passed ? "passed" : "failed"}
          </Text>
          {isDecisive && (
            <Badge variant="light" color="red" tt="none" size="sm" c={BAD}>
              decides
            </Badge>
          )}
        </Group>
        <Text size="sm">
          {sentence(compared)}
          {fix.length > 0 ? "? No." : ""}
        </Text>
        {fix.length > 0 && (
          <Text size="sm" fw={500}>
            {sentence(fix.join("? no: "))}.
          </Text>
        )}
        {!passed && keyId !== "" && tab !== undefined && (
          <Anchor component={Link} href={`/keys/${encodeURIComponent(keyId)}/${tab}`} size="sm">
            Open these settings
          </Anchor>
        )}
      </div>
    </li>
  );
}

function noteOf({ code, who, keyId }: Asked, { decision }: Explanation): string | undefined {
  if (code === "") return undefined;
  if (code === "rate_limit_exceeded" && decision.allowed) {
    return "It was refused because there were too many requests, which passes by itself. Settings let it in.";
  }
  if (decision.allowed)
    return `It was refused with ${visible(code)}. With what is stored now, it would be let in.`;
  if (decision.code === code || who !== "key" || keyId === "") return undefined;
  return `It was refused with ${visible(code)}. By now, another check comes first.`;
}
