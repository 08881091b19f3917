import { Paper, Stack, Text } from "@mantine/core";
import { sentence } from "../api/problem.ts";
import type { Explanation } from "../api/refusals.ts";
import { CheckIcon, CrossIcon } from "../parts/icons.tsx";

/** The decision, then every check in the order of the server. The first that failed decided. */
export function ExplanationView({
  explanation: { decision, checks },
}: {
  readonly explanation: Explanation;
}) {
  const first = checks.findIndex(({ passed }) => !passed);
  return (
    <Paper className="panel" p="md">
      <Stack gap="sm">
        <Text fw={700} data-testid="decision">
          {decision.allowed ? "It is allowed." : `It is refused: ${decision.code} (${decision.status})`}
        </Text>
        {!decision.allowed && <Text size="sm">{sentence(decision.message)}</Text>}
        <ol className="checks" aria-label="Checks, in order">
          {checks.map(({ check, passed, message }, index) => (
            <li key={check}>
              <span className={passed ? "added" : "removed"} style={{ textDecoration: "none" }}>
                {passed ? <CheckIcon /> : <CrossIcon />}
              </span>
              <div>
                <Text size="sm" fw={600}>
                  {sentence(check)}: {passed ? "passed" : "failed"}
                  {index === first ? ", which decides" : ""}
                </Text>
                <Text size="sm" c="dimmed">
                  {sentence(message)}
                </Text>
              </div>
            </li>
          ))}
        </ol>
      </Stack>
    </Paper>
  );
}
