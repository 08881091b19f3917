import { CloseButton, Group, Paper, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { type Word, words } from "./tell.ts";

type Shown = Word & { readonly id: number };

/** How long a word stays, whatever the pointer does. */
const SHOWN_MS = 4_000;
const FAILURE_SHOWN_MS = 10_000;
const WORDS_MAX = 4;

/** Where what is told appears: beside the buttons of the page, never over them. */
export function Words() {
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const nextId = useRef(0);
  useEffect(() => {
    const timers = new Set<number>();
    const forget = words.listen((word) => {
      const id = nextId.current;
      nextId.current += 1;
      setShown((before) => [...before, { ...word, id }].slice(-WORDS_MAX));
      const timer = window.setTimeout(
        () => {
          timers.delete(timer);
          setShown((before) => before.filter((one) => one.id !== id));
        },
        word.isFailure ? FAILURE_SHOWN_MS : SHOWN_MS,
      );
      timers.add(timer);
    });
    return () => {
      forget();
      for (const timer of timers) window.clearTimeout(timer);
    };
  }, []);
  const close = (id: number): void => setShown((before) => before.filter((one) => one.id !== id));
  return (
    <section className="words" aria-label="Messages">
      <div role="status" aria-live="polite">
        {shown
          .filter(({ isFailure }) => !isFailure)
          .map((word) => (
            <WordPanel key={word.id} word={word} onClose={() => close(word.id)} />
          ))}
      </div>
      <div role="alert">
        {shown
          .filter(({ isFailure }) => isFailure)
          .map((word) => (
            <WordPanel key={word.id} word={word} onClose={() => close(word.id)} />
          ))}
      </div>
    </section>
  );
}

function WordPanel({ word, onClose }: { readonly word: Shown; readonly onClose: () => void }) {
  return (
    <Paper className="word" data-failure={word.isFailure} shadow="md" p="sm">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          {word.isFailure && (
            <Text size="sm" fw={600}>
              That did not work
            </Text>
          )}
          <Text size="sm">{word.message}</Text>
        </div>
        <CloseButton size={28} aria-label="Close this message" onClick={onClose} />
      </Group>
    </Paper>
  );
}
