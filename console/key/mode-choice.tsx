import { Radio, Stack } from "@mantine/core";

type ModeChoiceProps<Mode extends string> = {
  readonly label: string;
  readonly description?: string;
  readonly error: string | undefined;
  readonly modes: readonly { readonly value: Mode; readonly label: string; readonly description?: string }[];
  readonly value: Mode;
  readonly onChange: (mode: Mode) => void;
};

/** One of the modes that a setting has. */
export function ModeChoice<Mode extends string>(props: ModeChoiceProps<Mode>) {
  const { modes, onChange, ...group } = props;
  const choose = (value: string): void => {
    const known = modes.find((mode) => mode.value === value);
    if (known !== undefined) onChange(known.value);
  };
  return (
    <Radio.Group {...group} onChange={choose}>
      <Stack gap="xs" mt="xs">
        {modes.map((mode) => (
          <Radio key={mode.value} {...mode} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
