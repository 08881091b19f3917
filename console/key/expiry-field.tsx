import { Button, Group, Input, NativeSelect, TextInput } from "@mantine/core";
import { type FocusEvent, useState } from "react";
import { distanceOf } from "../parts/time.tsx";
import { instantOf, ownZone, wallTimeOf, zones } from "./wall-time.ts";

type ExpiryFieldProps = {
  readonly value: string | null;
  readonly error: string | undefined;
  readonly onChange: (value: string | null) => void;
};

/** What the server refuses by its name; the browser gives no text for a date that is not complete. */
const INCOMPLETE = "a date that is not complete";
const utc = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

/** A date, a time and the zone that they are meant in; empty for never. */
export function ExpiryField({ value, error, onChange }: ExpiryFieldProps) {
  const [zone, setZone] = useState(ownZone);
  const atMs = value === null ? Number.NaN : Date.parse(value);
  const isInstant = !Number.isNaN(atMs);
  const take = (field: HTMLInputElement): void => {
    if (field.validity.badInput) onChange(INCOMPLETE);
    else if (field.value === "") onChange(null);
    else onChange(isoOf(instantOf(field.value, zone)));
  };
  const moveTo = (next: string): void => {
    // The clock's time stays and means another instant.
    if (isInstant) onChange(isoOf(instantOf(wallTimeOf(atMs, zone), next)));
    setZone(next);
  };
  return (
    <Input.Wrapper
      label="Expire date"
      labelElement="div"
      description={
        isInstant
          ? `${utc.format(atMs)} UTC (${distanceOf(atMs)}). From that instant on the key is refused.`
          : "Empty: the key never expires."
      }
      error={error}
    >
      <Group mt={6} align="flex-end" gap="xs" wrap="wrap">
        <TextInput
          type="datetime-local"
          step={1}
          aria-label="Expire date and time"
          value={isInstant ? wallTimeOf(atMs, zone) : ""}
          error={error !== undefined}
          onChange={(event) => take(event.currentTarget)}
          onBlur={(event: FocusEvent<HTMLInputElement>) => {
            if (event.currentTarget.validity.badInput) onChange(INCOMPLETE);
          }}
          w={240}
        />
        <NativeSelect
          aria-label="Time zone"
          data={[...zones()]}
          value={zone}
          onChange={(event) => moveTo(event.currentTarget.value)}
          w={220}
        />
        <Button variant="default" disabled={value === null} onClick={() => onChange(null)}>
          Never
        </Button>
      </Group>
    </Input.Wrapper>
  );
}

function isoOf(atMs: number): string {
  return Number.isNaN(atMs) ? INCOMPLETE : new Date(atMs).toISOString().replace(".000Z", "Z");
}
