/**
 * Decks whose calls never throw, whatever the browser does: what fails is reported, and ends in
 * silence where silence was asked for, else as a file that is lost.
 */

import {
  type Bed,
  type Deck,
  type DeckEvent,
  type DeckOutput,
  type Decks,
  type DecksEvent,
  isExpected,
  Unplayable,
} from "../deck";
import type { SafeCall } from "../errors";
import type { Range } from "../snapshot";
import type { Samples } from "./cross-correlation";
import type { FadeShape } from "./curves";

class SafeDeck implements Deck {
  private lastPosition = 0;
  private readonly listeners = new Set<(event: DeckEvent) => void>();

  constructor(
    private readonly inner: Deck,
    private readonly safeCall: SafeCall,
  ) {}

  get output(): DeckOutput {
    return this.inner.output;
  }

  get fades(): boolean {
    return this.safeCall("deck.fades", () => this.inner.fades, true);
  }

  get position(): number {
    this.lastPosition = this.safeCall(
      "deck.position",
      () => this.inner.position,
      this.lastPosition,
    );
    return this.lastPosition;
  }

  get duration(): number | null {
    return this.safeCall("deck.duration", () => this.inner.duration, null);
  }

  get whole(): boolean {
    return this.safeCall("deck.whole", () => this.inner.whole, false);
  }

  get buffered(): Range | null {
    return this.safeCall("deck.buffered", () => this.inner.buffered, null);
  }

  get level(): number {
    return this.safeCall("deck.level", () => this.inner.level, 0);
  }

  get latency(): number {
    return this.safeCall("deck.latency", () => this.inner.latency, 0);
  }

  get beginSeconds(): number {
    return this.safeCall("deck.beginSeconds", () => this.inner.beginSeconds, 0);
  }

  get playing(): boolean {
    return this.safeCall("deck.playing", () => this.inner.playing, false);
  }

  async load(url: string, atSeconds: number): Promise<void> {
    return this.attempted("deck.load", () => this.inner.load(url, atSeconds));
  }

  async play(): Promise<void> {
    return this.attempted("deck.play", () => this.inner.play());
  }

  async seek(seconds: number): Promise<void> {
    return this.attempted("deck.seek", () => this.inner.seek(seconds));
  }

  async nudge(seconds: number): Promise<void> {
    return this.attempted("deck.nudge", () => this.inner.nudge(seconds));
  }

  limit(on: boolean): void {
    this.safeCall("deck.limit", () => this.inner.limit(on), undefined);
  }

  pause(): void {
    if (!this.did("deck.pause", () => this.inner.pause())) this.cut(false);
  }

  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    const fade = () => this.inner.fade(level, seconds, shape, afterSeconds);
    if (this.did("deck.fade", fade)) return;
    this.cut(false);
    // Later: whoever fades it in has yet to tell that it sounds.
    if (level > 0) void Promise.resolve().then(() => this.tell("lost"));
  }

  recentSamples(): Samples | null {
    return this.safeCall("deck.hear", () => this.inner.recentSamples(), null);
  }

  unload(): void {
    if (!this.did("deck.unload", () => this.inner.unload())) this.cut(true);
  }

  cut(emptied: boolean): void {
    this.safeCall("deck.cut", () => this.inner.cut(emptied), undefined);
  }

  watch(listener: (event: DeckEvent) => void): () => void {
    this.listeners.add(listener);
    const unwatch = this.safeCall(
      "deck.watch",
      () => this.inner.watch(listener),
      () => {},
    );
    return () => {
      this.listeners.delete(listener);
      this.safeCall("deck.unwatch", unwatch, undefined);
    };
  }

  /** What the browser throws, where a deck says that it is Unplayable, is reported as well. */
  private async attempted(where: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (isExpected(error)) throw error;
      this.safeCall(
        where,
        () => {
          throw error;
        },
        undefined,
      );
      throw new Unplayable(String(error));
    }
  }

  private did(where: string, action: () => void): boolean {
    return this.safeCall(
      where,
      () => {
        action();
        return true;
      },
      false,
    );
  }

  private tell(event: DeckEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}

class SafeBed implements Bed {
  constructor(
    private readonly decks: Decks,
    private readonly safeCall: SafeCall,
  ) {}

  get level(): number {
    return this.safeCall("bed.level", () => this.decks.bed.level, 0);
  }

  get missing(): boolean {
    return this.safeCall("bed.missing", () => this.decks.bed.missing, false);
  }

  fade(level: number, seconds: number): void {
    const faded = () => {
      this.decks.bed.fade(level, seconds);
      return true;
    };
    if (!this.safeCall("bed.fade", faded, false) && level === 0) this.cut();
  }

  cut(): void {
    this.safeCall("bed.cut", () => this.decks.bed.cut(), undefined);
  }
}

export class SafeDecks implements Decks {
  readonly bed: Bed;
  private readonly known = new WeakMap<Deck, Deck>();

  constructor(
    private readonly inner: Decks,
    private readonly safeCall: SafeCall,
  ) {
    this.bed = new SafeBed(inner, safeCall);
  }

  get decks(): readonly Deck[] {
    return this.safeCall("decks", () => this.inner.decks, []).map((deck) => this.guarded(deck));
  }

  get silent(): boolean {
    return this.safeCall("decks.silent", () => this.inner.silent, false);
  }

  get outputSeconds(): number | null {
    return this.safeCall("decks.outputSeconds", () => this.inner.outputSeconds, null);
  }

  async unlock(): Promise<void> {
    return this.inner.unlock();
  }

  fadeOut(seconds: number): void {
    this.inner.fadeOut(seconds);
  }

  cut(emptied: boolean): void {
    this.safeCall("decks.cut", () => this.inner.cut(emptied), undefined);
  }

  wake(): void {
    this.safeCall("decks.wake", () => this.inner.wake(), undefined);
  }

  renew(): void {
    this.safeCall("decks.renew", () => this.inner.renew(), undefined);
  }

  volume(volume: number, muted: boolean): void {
    this.safeCall("decks.volume", () => this.inner.volume(volume, muted), undefined);
  }

  rms(): number {
    return this.safeCall("decks.rms", () => this.inner.rms(), 0);
  }

  watch(listener: (event: DecksEvent) => void): () => void {
    return this.safeCall(
      "decks.watch",
      () => this.inner.watch(listener),
      () => {},
    );
  }

  start(): void {
    this.safeCall("decks.start", () => this.inner.start(), undefined);
  }

  stop(): void {
    this.safeCall("decks.stop", () => this.inner.stop(), undefined);
  }

  private guarded(deck: Deck): Deck {
    const known = this.known.get(deck);
    if (known) return known;
    const guarded = new SafeDeck(deck, this.safeCall);
    this.known.set(deck, guarded);
    return guarded;
  }
}
