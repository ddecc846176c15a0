import { describe, test } from "vitest";
import type { DeckOutput } from "../deck";
import { pause } from "../playback/timing";
import { type ContractFixture, DECK_CONTRACT } from "../testing/deck-contract";
import type { FakeClock } from "../testing/fake-clock";
import { FakeDeck } from "../testing/fake-deck";
import { FakeMedia } from "../testing/fake-media";
import { newClock } from "./clock";

function newFixture(clock: FakeClock, output: DeckOutput, fades: boolean): ContractFixture {
  const media = new FakeMedia();
  media.put("long", { durationSeconds: 30 });
  media.put("short", { durationSeconds: 2 });
  const newDeck = () => new FakeDeck(clock, media, { output, fades });
  const wait = (seconds: number) => pause(clock, seconds);
  return { newDeck, wait, long: "long", short: "short", missing: "none", toleranceSeconds: 0.05 };
}

/** Time goes on until the trial is over. */
async function inFakeTime(clock: FakeClock, trial: Promise<void>): Promise<void> {
  let over = false;
  const done = trial.finally(() => {
    over = true;
  });
  done.catch(() => {});
  while (!over) await clock.advance(0.01);
  return done;
}

const KINDS = [
  { name: "a deck in a graph", output: "graph", fades: true },
  { name: "a plain deck", output: "plain", fades: true },
  { name: "a plain deck whose volume cannot be set", output: "plain", fades: false },
] as const;

describe.each(KINDS)("$name", ({ output, fades }) => {
  test.each(DECK_CONTRACT)("$name", async (trial) => {
    const clock = newClock();
    await inFakeTime(clock, trial.run(newFixture(clock, output, fades)));
  });
});
