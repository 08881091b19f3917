import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { looksSecret } from "../parts/explain-link.ts";

const TYPING_MS = 250;

type Filter = {
  /** What a field holds. */
  readonly typed: (name: string) => string;
  /** What is asked for. */
  readonly asked: (name: string) => string;
  readonly set: (name: string, value: string) => void;
};

/** Fields that filter a list and stand in the address of the page, a moment after they were typed. */
export function useQueryFilter(): Filter {
  const [query, setQuery] = useSearchParams();
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const write = useDebouncedCallback((values: Readonly<Record<string, string>>) => {
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(values)) {
          if (value.trim() === "" || looksSecret(value)) next.delete(name);
          else next.set(name, value.trim());
        }
        return next;
      },
      { replace: true },
    );
  }, TYPING_MS);
  const asked = (name: string): string => query.get(name) ?? "";
  return {
    typed: (name) => typed[name] ?? asked(name),
    asked,
    set(name, value) {
      const next = { ...typed, [name]: value };
      setTyped(next);
      write(next);
    },
  };
}
