import { Button, Group, Text } from "@mantine/core";

type SaveBarProps = {
  readonly isDirty: boolean;
  readonly isBusy: boolean;
  readonly label: string;
  readonly onDiscard?: () => void;
};

/** Stays in sight below the form. */
export function SaveBar({ isDirty, isBusy, label, onDiscard }: SaveBarProps) {
  return (
    <Group className="bar" p="sm" px={{ base: "md", sm: "lg" }} justify="space-between">
      <Text size="sm" c="dimmed" role="status">
        {isDirty ? "Changes that are not saved" : "No changes"}
      </Text>
      <Group gap="xs">
        {onDiscard !== undefined && (
          <Button variant="default" disabled={!isDirty || isBusy} onClick={onDiscard}>
            Discard
          </Button>
        )}
        <Button type="submit" loading={isBusy} disabled={!isDirty}>
          {label}
        </Button>
      </Group>
    </Group>
  );
}
