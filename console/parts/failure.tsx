import { Alert, Button, Group, Text } from "@mantine/core";
import { messageOf } from "../api/problem.ts";

/** What went wrong, and a way to try again where that may help. */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  return (
    <Alert color="red" variant="outline" role="alert">
      <Group justify="space-between">
        <Text size="sm">{messageOf(error)}</Text>
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
