/** A page on which the real decks sit the exam. Driven from outside, in a browser that plays. */

import { Habit } from "../engine/browser/habit";
import { Limiter } from "../engine/browser/limiter";
import { PlainDeck } from "../engine/browser/plain-deck";
import { WebAudioDeck } from "../engine/browser/web-audio-deck";
import type { Way } from "../engine/deck";
import { type Bench, DECK_EXAM, type Trial } from "../engine/testing/deck-exam";

/** Addresses of the exam's files, and how exact the positions of this browser are. */
export type Files = Pick<Bench, "long" | "short" | "missing" | "toleranceSeconds">;

export interface Mark {
  readonly name: string;
  /** Null where the deck did as expected. */
  readonly fault: string | null;
}

/** A deck that never answers is at fault too. */
const TRIAL_SECONDS_MAX = 15;

declare global {
  interface Window {
    /** The peak of a tone of so many dBFS behind a limiter, once it has settled, in dBFS. */
    limited(dbfs: number): Promise<number>;
    sitExam(way: Way, files: Files): Promise<readonly Mark[]>;
  }
}

window.sitExam = async (way, files) => {
  const context = new AudioContext();
  const habit = new Habit();
  const newDeck = () =>
    way === "graph"
      ? new WebAudioDeck(context, context.destination, habit)
      : new PlainDeck({ volume: 1, muted: false }, habit);
  // All at once, for most of an exam is waiting.
  const marks = await Promise.all(DECK_EXAM.map((trial) => mark(trial, files, newDeck)));
  await context.close();
  return marks;
};

window.limited = async (dbfs) => {
  const rate = 48_000;
  const context = new OfflineAudioContext(1, rate, rate);
  const tone = new OscillatorNode(context, { frequency: 997 });
  const level = new GainNode(context, { gain: 10 ** (dbfs / 20) });
  tone.connect(level).connect(new Limiter(context, context.destination).input);
  tone.start();
  const samples = (await context.startRendering()).getChannelData(0).subarray(rate / 2);
  return 20 * Math.log10(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0));
};

async function mark(
  { name, sit }: Trial,
  files: Files,
  newDeck: () => WebAudioDeck | PlainDeck,
): Promise<Mark> {
  const decks: (WebAudioDeck | PlainDeck)[] = [];
  const bench: Bench = {
    ...files,
    newDeck() {
      const deck = newDeck();
      deck.start();
      decks.push(deck);
      return deck;
    },
    wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  };
  const late = bench.wait(TRIAL_SECONDS_MAX).then(() => "no answer");
  const fault = await Promise.race([sit(bench).then(() => null, String), late]);
  for (const deck of decks) deck.stop();
  return { name, fault };
}
