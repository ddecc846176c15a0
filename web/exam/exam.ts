/** A page on which the real decks sit the exam. Driven from outside, in a browser that plays. */

import { PlainDeck } from "../engine/browser/plain-deck";
import { WebAudioDeck } from "../engine/browser/web-audio-deck";
import type { Way } from "../engine/deck";
import { type Bench, DECK_EXAM } from "../engine/testing/deck-exam";

/** Addresses of the exam's files, and how exact the positions of this browser are. */
export type Files = Pick<Bench, "long" | "short" | "missing" | "toleranceSeconds">;

export interface Mark {
  readonly name: string;
  /** Null where the deck did as expected. */
  readonly fault: string | null;
}

declare global {
  interface Window {
    sitExam(way: Way, files: Files): Promise<readonly Mark[]>;
  }
}

window.sitExam = async (way, files) => {
  const context = new AudioContext();
  const decks: (WebAudioDeck | PlainDeck)[] = [];
  const bench: Bench = {
    ...files,
    newDeck() {
      const deck =
        way === "graph"
          ? new WebAudioDeck(context, context.destination)
          : new PlainDeck({ volume: 1, muted: false });
      deck.start();
      decks.push(deck);
      return deck;
    },
    wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  };
  const marks: Mark[] = [];
  for (const { name, sit } of DECK_EXAM) {
    const fault = await sit(bench).then(() => null, String);
    marks.push({ name, fault });
    for (const deck of decks.splice(0)) deck.stop();
  }
  await context.close();
  return marks;
};
