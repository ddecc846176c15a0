/** All that would sound in a browser, in fake time. */

import type { Bed, Decks, DecksEvent } from "../deck";
import { type Fade, hold, levelAt } from "../playback/curves";
import type { FakeClock } from "./fake-clock";
import { FakeDeck } from "./fake-deck";
import type { FakeMedia } from "./fake-media";

export class FakeBed implements Bed {
  missing = false;
  /** As while its file still loads: it is on, and nothing is heard. */
  loading = false;
  private fading: Fade = hold(0);

  constructor(private readonly clock: FakeClock) {}

  get level(): number {
    return this.loading || this.missing ? 0 : levelAt(this.fading, this.clock.now());
  }

  fade(level: number, seconds: number): void {
    const startSeconds = this.clock.now();
    this.fading = { from: this.level, to: level, startSeconds, seconds, shape: "smooth" };
  }

  cut(): void {
    this.fading = hold(0);
  }
}

export interface FakeDecksOptions {
  /** As where `?output=plain` was asked for. */
  readonly plainOnly?: boolean;
  /** As on a device whose volume cannot be set. */
  readonly fades?: boolean;
}

export class FakeDecks implements Decks {
  readonly decks: readonly FakeDeck[];
  readonly bed: FakeBed;
  heardVolume = 1;
  /** No tap has been made yet, or the browser does not believe in it. */
  refusing = false;
  /** How many times the output was shaken, and how many times another was opened. */
  woken = 0;
  renewed = 0;
  private frozenAt: number | null = null;
  private readonly listeners = new Set<(event: DecksEvent) => void>();

  constructor(
    private readonly clock: FakeClock,
    media: FakeMedia,
    { plainOnly = false, fades = true }: FakeDecksOptions = {},
  ) {
    const outputs = plainOnly
      ? (["plain", "plain"] as const)
      : (["graph", "graph", "plain", "plain"] as const);
    this.decks = outputs.map((output) => new FakeDeck(clock, media, { output, fades }));
    this.bed = new FakeBed(clock);
  }

  get silent(): boolean {
    return this.audible.length === 0 && this.bed.level === 0;
  }

  get outputSeconds(): number {
    return this.frozenAt ?? this.clock.now();
  }

  /** The output's clock stands still, until another output is opened. */
  freeze(): void {
    this.frozenAt ??= this.clock.now();
  }

  fadeOut(seconds: number): void {
    for (const deck of this.decks) deck.fade(0, seconds, "smooth");
    this.bed.fade(0, seconds);
  }

  cut(emptied: boolean): void {
    for (const deck of this.decks) deck.cut(emptied);
    this.bed.cut();
  }

  wake(): void {
    this.woken += 1;
  }

  renew(): void {
    this.renewed += 1;
    this.frozenAt = null;
    for (const deck of this.decks) deck.lose();
  }

  async unlock(): Promise<void> {
    for (const deck of this.decks) deck.locked = this.refusing;
  }

  volume(volume: number, muted: boolean): void {
    this.heardVolume = muted ? 0 : volume;
  }

  rms(): number {
    return Math.max(this.bed.level, ...this.audible.map((deck) => deck.level));
  }

  watch(listener: (event: DecksEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {}

  stop(): void {
    this.listeners.clear();
  }

  /** The decks that sound now. */
  get audible(): readonly FakeDeck[] {
    return this.decks.filter((deck) => deck.audible);
  }

  /** The system takes the sound away. */
  interrupt(): void {
    for (const listener of [...this.listeners]) listener("interrupted");
  }
}
