import { Alert, Button, Group, Text } from "@mantine/core";
import { deleteKey } from "../api/keys.ts";
import { tell, tellFailure } from "../parts/tell.ts";

/** Keys whose record is damaged: nobody gets in by them, and deleting them mends the store. */
export function UnreadableKeys({ ids }: { readonly ids: readonly string[] }) {
  if (ids.length === 0) return null;
  const remove = (id: string): void => {
    deleteKey(id, undefined).then(() => tell(`${id} is deleted.`), tellFailure);
  };
  return (
    <Alert color="red" variant="outline" title="Damaged keys">
      <Text size="sm">What is stored of these keys cannot be read. They let nobody in.</Text>
      {ids.slice(0, 20).map((id) => (
        <Group key={id} mt="xs">
          <Text className="mono">{id}</Text>
          <Button size="compact-xs" variant="default" onClick={() => remove(id)}>
            Delete {id}
          </Button>
        </Group>
      ))}
    </Alert>
  );
}
