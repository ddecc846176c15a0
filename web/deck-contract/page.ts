/** Runs the contract tests of a deck on the real decks. A browser test drives this page. */

import { Limiter } from "../engine/browser/limiter";
import { OutputClock } from "../engine/browser/output-clock";
import { PlainDeck } from "../engine/browser/plain-deck";
import { StartQuirks } from "../engine/browser/start-quirks";
import { WebAudioDeck } from "../engine/browser/web-audio-deck";
import type { DeckOutput } from "../engine/deck";
import {
  type ContractFixture,
  type ContractTest,
  DECK_CONTRACT,
} from "../engine/testing/deck-contract";

/** Addresses of the test files, and how exact the positions of this browser are. */
export type Files = Pick<ContractFixture, "long" | "short" | "missing" | "toleranceSeconds">;

export interface ContractResult {
  readonly name: string;
  /** Null where the deck did as expected. */
  readonly failure: string | null;
}

/** A deck that never answers is at failure too. */
const TEST_SECONDS_MAX = 15;

declare global {
  interface Window {
    /** The peak of a tone of so many dBFS behind a limiter, once it has settled, in dBFS. */
    limited(dbfs: number): Promise<number>;
    runContract(output: DeckOutput, files: Files): Promise<readonly ContractResult[]>;
  }
}

window.runContract = async (output, files) => {
  const context = new AudioContext();
  const clock = new OutputClock(context);
  const quirks = new StartQuirks();
  const newDeck = () =>
    output === "graph"
      ? new WebAudioDeck(context, context.destination, clock, quirks)
      : new PlainDeck({ volume: 1, muted: false }, quirks);
  // All at once, because most of a test is waiting.
  const results = await Promise.all(DECK_CONTRACT.map((test) => runTest(test, files, newDeck)));
  await context.close();
  return results;
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

async function runTest(
  { name, run }: ContractTest,
  files: Files,
  newDeck: () => WebAudioDeck | PlainDeck,
): Promise<ContractResult> {
  const decks: (WebAudioDeck | PlainDeck)[] = [];
  const fixture: ContractFixture = {
    ...files,
    newDeck() {
      const deck = newDeck();
      deck.start();
      decks.push(deck);
      return deck;
    },
    wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  };
  const late = fixture.wait(TEST_SECONDS_MAX).then(() => "no answer");
  const failure = await Promise.race([run(fixture).then(() => null, String), late]);
  for (const deck of decks) deck.stop();
  return { name, failure };
}
