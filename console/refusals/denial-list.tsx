import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Fragment, memo } from "react";
import { Link } from "wouter";
import { sentence } from "../api/problem.ts";
import type { Denial } from "../api/types.ts";
import { explainHref } from "../parts/explain-link.ts";
import { Ago } from "../parts/time.tsx";
import { Foreign, visible } from "../parts/visible.tsx";

type DenialListProps = { readonly denials: readonly Denial[]; readonly showsKey: boolean };

/** Who was refused, newest first; one click and it is explained. */
export function DenialList({ denials, showsKey }: DenialListProps) {
  return (
    <ul className="checks" aria-label="Refusals">
      {denials.map((denial) => (
        <DenialRow key={denial.id} denial={denial} showsKey={showsKey} />
      ))}
    </ul>
  );
}

type DenialRowProps = { readonly denial: Denial; readonly showsKey: boolean };

const DenialRow = memo(function DenialRow({ denial, showsKey }: DenialRowProps) {
  const { code, count, at, message, keyId, keyName } = denial;
  return (
    <li className="refusal" data-code={code}>
      <Stack gap={2}>
        <Group gap="xs">
          <Text size="sm" fw={600} className="mono">
            {code}
          </Text>
          {count > 1 && <Text size="sm">{count.toLocaleString("en")} times</Text>}
          <Text size="sm" c="dimmed">
            <Ago at={at} />
          </Text>
        </Group>
        <Text size="sm">{sentence(visible(message))}</Text>
        <Text size="sm" c="dimmed">
          {showsKey && keyId !== null && (
            <>
              <Anchor component={Link} href={`/keys/${encodeURIComponent(keyId)}`} size="sm">
                <Foreign text={keyName ?? keyId} />
              </Anchor>
              {" · "}
            </>
          )}
          {wordsOf(denial).map((word, index) => (
            <Fragment key={word}>
              {index > 0 && " · "}
              <Foreign text={word} />
            </Fragment>
          ))}
        </Text>
      </Stack>
      <Button
        component={Link}
        href={explainHref(denial)}
        size="xs"
        variant="default"
        aria-label={`Why? ${code}`}
      >
        Why?
      </Button>
    </li>
  );
});

/** In every row another kind of word, so that none comes twice. */
function wordsOf({ action, channel, endpoint, origin, address, keyId }: Denial): string[] {
  return [
    ...(keyId === null ? ["no known key"] : []),
    action,
    ...(channel === null ? [] : [`channel ${channel}`]),
    ...(endpoint === null ? [] : [`endpoint ${endpoint}`]),
    origin === null ? "no origin" : `origin ${origin}`,
    address === null ? "unknown address" : `address ${address}`,
  ];
}
