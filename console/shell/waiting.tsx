import { Center, Loader, Stack, Text } from "@mantine/core";

/** Before anything is known. */
export function Waiting({ isOffline = false }: { readonly isOffline?: boolean }) {
  return (
    <Center mih="60vh" component="main">
      <Stack align="center" role="status">
        <Loader size="sm" aria-label="Loading" />
        {isOffline && <Text c="dimmed">The server does not answer. Trying again…</Text>}
      </Stack>
    </Center>
  );
}
