import { messageOf } from "../api/problem.ts";

export type Word = { readonly message: string; readonly isFailure: boolean };

/** Short words to the user; those that come before anybody listens wait. */
class WordQueue {
  #listener: ((word: Word) => void) | undefined;
  #early: Word[] = [];

  say(word: Word): void {
    if (this.#listener === undefined) this.#early.push(word);
    else this.#listener(word);
  }

  listen(listener: (word: Word) => void): () => void {
    this.#listener = listener;
    for (const word of this.#early.splice(0)) listener(word);
    return () => {
      this.#listener = undefined;
    };
  }
}

export const words = new WordQueue();

/** A short word in the corner that goes by itself. */
export function tell(message: string): void {
  words.say({ message, isFailure: false });
}

export function tellFailure(error: unknown): void {
  words.say({ message: messageOf(error), isFailure: true });
}
