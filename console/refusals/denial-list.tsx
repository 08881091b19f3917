import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import type { Denial } from "../api/live-types.ts";
import { sentence } from "../api/problem.ts";
import { Ago } from "../parts/time.tsx";
import { explainLink } from "./explain-request.ts";

type DenialListProps = { readonly denials: readonly Denial[]; readonly showsKey: boolean };

/** Who was refused, newest first; one click and it is explained. */
export function DenialList({ denials, showsKey }: DenialListProps) {
  return (
    <ul className="checks" aria-label="Refusals">
      {denials.map((denial) => (
        <li key={denial.id} className="refusal" data-code={denial.code}>
          <Stack gap={2}>
            <Group gap="xs">
              <Text size="sm" fw={600} className="mono">
                {denial.code}
              </Text>
              {denial.count > 1 && <Text size="sm">{denial.count.toLocaleString("en")} times</Text>}
              <Text size="sm" c="dimmed">
                <Ago at={denial.at} />
              </Text>
            </Group>
            <Text size="sm">{sentence(denial.message)}</Text>
            <Text size="sm" c="dimmed">
              {showsKey && denial.keyId !== null && (
                <>
                  <Anchor component={Link} href={`/keys/${denial.keyId}`} size="sm">
                    {denial.keyName ?? denial.keyId}
                  </Anchor>
                  {" · "}
                </>
              )}
              {wordsOf(denial).join(" · ")}
            </Text>
          </Stack>
          <Button
            component={Link}
            href={explainLink(denial)}
            size="xs"
            variant="default"
            aria-label={`Why? ${denial.code}`}
          >
            Why?
          </Button>
        </li>
      ))}
    </ul>
  );
}

function wordsOf({ action, channel, endpoint, origin, address, keyId }: Denial): string[] {
  return [
    ...(keyId === null ? ["no known key"] : []),
    action,
    ...(channel === null ? [] : [`channel ${channel}`]),
    ...(endpoint === null ? [] : [endpoint]),
    origin === null ? "no origin" : origin,
    address === null ? "unknown address" : address,
  ];
}
