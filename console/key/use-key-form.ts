import { useForm } from "@mantine/form";
import { type KeyValues, valuesOf } from "./key-values.ts";
import type { Document } from "./settings-fields.ts";

/** The form of a key's settings. The server judges what is in it. */
export function useKeyForm(settings: Document) {
  return useForm<KeyValues>({ initialValues: valuesOf(settings), clearInputErrorOnChange: true });
}

export type KeyForm = ReturnType<typeof useKeyForm>;

/** The fault at a field, if it has one. */
export function errorAt(form: KeyForm, path: string): string | undefined {
  const error = form.errors[path];
  return typeof error === "string" ? error : undefined;
}
