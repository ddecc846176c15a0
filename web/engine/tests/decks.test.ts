import { describe, test } from "vitest";
import type { DeckOutput } from "../deck";
import { pause } from "../playback/timing";
import { type ContractFixture, DECK_CONTRACT } from "../testing/deck-contract";
import type { FakeClock } from "../testing/fake-clock";
import { FakeDeck } from "../testing/fake-deck";
import { FakeMedia } from "../testing/fake-media";
import { newClock } from "./clock";

function newBench(clock: FakeClock, way: DeckOutput, fades: boolean): ContractFixture {
  const media = new FakeMedia();
  media.put("long", { durationSeconds: 30 });
  media.put("short", { durationSeconds: 2 });
  const newDeck = () => new FakeDeck(clock, media, { way, fades });
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
  { name: "a deck in a graph", way: "graph", fades: true },
  { name: "a plain deck", way: "plain", fades: true },
  { name: "a plain deck whose volume cannot be set", way: "plain", fades: false },
] as const;

describe.each(KINDS)("$name", ({ way, fades }) => {
  test.each(DECK_CONTRACT)("$name", async (trial) => {
    const clock = newClock();
    await inFakeTime(clock, trial.run(newBench(clock, way, fades)));
  });
});
