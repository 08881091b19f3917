import { Group, Text } from "@mantine/core";

/** The name and its sign. */
export function Mark() {
  return (
    <Group gap="xs" wrap="nowrap">
      <img src="/console/icon.svg" width="26" height="26" alt="" />
      <Text fw={700} size="lg" component="span" style={{ whiteSpace: "nowrap" }}>
        Sluice
      </Text>
    </Group>
  );
}
