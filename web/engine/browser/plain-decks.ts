/** Decks and bed as plain audio elements, without Web Audio. */

import type { Decks, DecksEvent } from "../deck";
import { attemptAll } from "../errors";
import { type BedFiles, PlainBed } from "./beds";
import { PlainDeck } from "./plain-deck";
import { declarePlayback } from "./platform";
import { StartQuirks } from "./start-quirks";

export class PlainDecks implements Decks {
  readonly bed: PlainBed;
  readonly outputSeconds = null;
  private readonly loudness = { volume: 1, muted: false };
  private readonly quirks = new StartQuirks();
  decks = this.newDecks();
  private primed = false;

  constructor(private readonly files: BedFiles) {
    this.bed = new PlainBed(files, this.loudness);
  }

  start(): void {
    for (const deck of this.decks) deck.start();
  }

  stop(): void {
    attemptAll(() => this.bed.stop(), ...this.decks.map((deck) => () => deck.stop()));
  }

  async unlock(): Promise<void> {
    declarePlayback();
    const url = this.files.startUrl ?? this.files.url;
    if (this.primed || url === null) return;
    this.primed = true;
    for (const deck of this.decks) deck.prime(url);
  }

  volume(volume: number, muted: boolean): void {
    Object.assign(this.loudness, { volume, muted });
    attemptAll(...this.decks.map((deck) => () => deck.follow()), () => this.bed.follow());
  }

  /** An element by itself does not tell how loud it is. */
  rms(): number {
    return 0;
  }

  /** Elements tell their interruptions themselves. */
  watch(_listener: (event: DecksEvent) => void): () => void {
    return () => {};
  }

  /** A page that is not seen may have no timers for a fade. */
  fadeOut(seconds: number): void {
    if (document.hidden) return this.cut(false);
    attemptAll(...this.decks.map((deck) => () => deck.fade(0, seconds, "smooth")), () =>
      this.bed.fade(0, seconds),
    );
  }

  cut(emptied: boolean): void {
    attemptAll(...this.decks.map((deck) => () => deck.cut(emptied)), () => this.bed.cut());
  }

  get silent(): boolean {
    const moving = this.decks.filter((deck) => !deck.still);
    return moving.length === 0 && this.bed.still;
  }

  wake(): void {}

  /** Other elements. */
  renew(): void {
    const before = this.decks;
    this.decks = this.newDecks();
    this.primed = false;
    attemptAll(
      ...before.map((deck) => () => deck.lose()),
      ...before.map((deck) => () => deck.stop()),
      () => this.start(),
    );
  }

  private newDecks(): PlainDeck[] {
    return [new PlainDeck(this.loudness, this.quirks), new PlainDeck(this.loudness, this.quirks)];
  }
}
