/** The contract tests of a deck: the fake one in fake time, the real ones in a browser. */

import type { Deck, DeckEvent } from "../deck";
import { Superseded, Unplayable } from "../deck";

/** What a contract test needs. Positions of real decks are as exact as `toleranceSeconds` tells. */
export interface ContractFixture {
  /** A deck that has not been used. */
  newDeck(): Deck;
  wait(seconds: number): Promise<void>;
  /** A file of 20 s or more, one of 2 s, and an address where there is nothing. */
  readonly long: string;
  readonly short: string;
  readonly missing: string;
  readonly toleranceSeconds: number;
}

export interface ContractTest {
  readonly name: string;
  readonly run: (fixture: ContractFixture) => Promise<void>;
}

/** About so long a deck looks whether it plays, before it says so. */
const SEEN_PLAYING_SECONDS = 0.15;

export const DECK_CONTRACT: readonly ContractTest[] = [
  {
    name: "opens a file silent, paused and at its beginning",
    async run(fixture) {
      const deck = fixture.newDeck();
      await deck.load(fixture.long, 0);
      equal(deck.playing, false);
      equal(deck.level, 0);
      near(deck.position, 0, fixture);
    },
  },
  {
    name: "knows how long a file is, and what is there of it",
    async run(fixture) {
      const deck = fixture.newDeck();
      await deck.load(fixture.short, 0);
      near(deck.duration ?? 0, 2, fixture);
      await fixture.wait(0.5);
      near(deck.buffered?.toSeconds ?? 0, 2, fixture);
    },
  },
  {
    name: "opens a file at a place",
    async run(fixture) {
      const deck = fixture.newDeck();
      await deck.load(fixture.long, 7.5);
      near(deck.position, 7.5, fixture);
    },
  },
  {
    name: "opens a file at its beginning where it ends before the place",
    async run(fixture) {
      const deck = fixture.newDeck();
      await deck.load(fixture.short, 60);
      near(deck.position, 0, fixture);
    },
  },
  {
    name: "plays on as time does",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 3);
      const before = deck.position;
      await fixture.wait(1);
      equal(deck.playing, true);
      near(deck.position - before, 1, fixture);
    },
  },
  {
    name: "stays where it was paused, and plays on from there",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 3);
      deck.pause();
      equal(deck.playing, false);
      const paused = deck.position;
      await fixture.wait(0.5);
      near(deck.position, paused, fixture);
      await deck.play();
      // It plays when that is seen to be so, which takes a moment.
      const resumed = deck.position;
      within(resumed, paused - fixture.toleranceSeconds, paused + 2 * SEEN_PLAYING_SECONDS);
      await fixture.wait(0.5);
      near(deck.position, resumed + 0.5, fixture);
    },
  },
  {
    name: "seeks while paused and stays paused",
    async run(fixture) {
      const deck = fixture.newDeck();
      await deck.load(fixture.long, 0);
      await deck.seek(11);
      near(deck.position, 11, fixture);
      await fixture.wait(0.3);
      near(deck.position, 11, fixture);
      equal(deck.playing, false);
    },
  },
  {
    name: "seeks while playing and plays on from there",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 0);
      await deck.seek(12);
      await fixture.wait(0.5);
      equal(deck.playing, true);
      near(deck.position, 12.5, fixture);
    },
  },
  {
    name: "nudges its position while playing",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 5);
      const other = await playing(fixture, fixture.long, 5);
      const before = deck.position - other.position;
      // More than a position may be wrong by, or to do nothing would pass.
      await deck.nudge(0.2);
      near(deck.position - other.position, before + 0.2, fixture);
      await deck.nudge(-0.2);
      near(deck.position - other.position, before, fixture);
    },
  },
  {
    name: "moves its level from where it is, and stops where it was told",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 0);
      deck.fade(0.8, deck.fades ? 0.4 : 0, "linear");
      await fixture.wait(0.2);
      if (deck.fades) within(deck.level, 0.2, 0.6);
      await fixture.wait(0.4);
      equal(deck.level > 0.75, true);
      deck.fade(0, 0.4, "smooth");
      await fixture.wait(0.6);
      equal(deck.level, 0);
    },
  },
  {
    name: "replaces a fade under way by another, from where it is",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 0);
      deck.fade(1, 0.6, "linear");
      await fixture.wait(0.3);
      deck.fade(0, 0.3, "linear");
      await fixture.wait(0.1);
      if (deck.fades) within(deck.level, 0.05, 0.7);
      await fixture.wait(0.4);
      equal(deck.level, 0);
    },
  },
  {
    name: "says once that the file is over",
    async run(fixture) {
      const deck = fixture.newDeck();
      const events = record(deck);
      await deck.load(fixture.short, 1);
      await deck.play();
      await fixture.wait(2);
      same(events, ["ended"]);
      equal(deck.playing, false);
    },
  },
  {
    name: "does not tell of its own pauses, seeks and stops",
    async run(fixture) {
      const deck = fixture.newDeck();
      const events = record(deck);
      await deck.load(fixture.long, 0);
      await deck.play();
      deck.pause();
      await deck.play();
      await deck.seek(9);
      await fixture.wait(0.3);
      deck.unload();
      await fixture.wait(0.3);
      same(events, []);
    },
  },
  {
    name: "refuses an address where there is nothing",
    async run(fixture) {
      const deck = fixture.newDeck();
      await rejects(deck.load(fixture.missing, 0), Unplayable);
      await deck.load(fixture.long, 0);
      await deck.play();
      equal(deck.playing, true);
    },
  },
  {
    name: "drops a load for another",
    async run(fixture) {
      const deck = fixture.newDeck();
      const first = rejects(deck.load(fixture.short, 0), Superseded);
      await deck.load(fixture.long, 4);
      await first;
      near(deck.position, 4, fixture);
      equal((deck.duration ?? 0) > 10, true);
    },
  },
  {
    name: "is silent and empty once unloaded, and can be used again",
    async run(fixture) {
      const deck = await playing(fixture, fixture.long, 2);
      deck.fade(1, 0, "linear");
      deck.unload();
      equal(deck.playing, false);
      equal(deck.level, 0);
      equal(deck.duration, null);
      await deck.load(fixture.short, 0);
      near(deck.duration ?? 0, 2, fixture);
    },
  },
];

async function playing(fixture: ContractFixture, url: string, at: number): Promise<Deck> {
  const deck = fixture.newDeck();
  await deck.load(url, at);
  await deck.play();
  await fixture.wait(0.2);
  return deck;
}

function record(deck: Deck): DeckEvent[] {
  const events: DeckEvent[] = [];
  deck.watch((event) => events.push(event));
  return events;
}

function equal(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${String(found)} instead of ${String(expected)}`);
}

function same(found: readonly string[], expected: readonly string[]): void {
  equal(found.join(), expected.join());
}

function near(found: number, expected: number, { toleranceSeconds }: ContractFixture): void {
  within(found, expected - toleranceSeconds, expected + toleranceSeconds);
}

function within(found: number, low: number, high: number): void {
  if (found < low || found > high) throw new Error(`${found} is not within ${low} and ${high}`);
}

async function rejects(promise: Promise<unknown>, kind: new () => Error): Promise<void> {
  const outcome = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  if (!(outcome instanceof kind)) throw new Error(`${String(outcome)} instead of ${kind.name}`);
}
