/** All that sounds, as elements by themselves. */

import type { Decks, DecksEvent } from "../deck";
import { type BedFiles, PlainBed } from "./beds";
import { PlainDeck } from "./plain-deck";
import { declarePlayback } from "./platform";

export class PlainDecks implements Decks {
  readonly bed: PlainBed;
  private readonly loudness = { volume: 1, muted: false };
  readonly decks = [new PlainDeck(this.loudness), new PlainDeck(this.loudness)];
  private primed = false;

  constructor(private readonly files: BedFiles) {
    this.bed = new PlainBed(files, this.loudness);
  }

  start(): void {
    for (const deck of this.decks) deck.start();
  }

  stop(): void {
    this.bed.stop();
    for (const deck of this.decks) deck.stop();
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
    for (const deck of this.decks) deck.follow();
    this.bed.follow();
  }

  /** An element by itself does not tell how loud it is. */
  rms(): number {
    return 0;
  }

  /** Elements tell their interruptions themselves. */
  watch(_listener: (event: DecksEvent) => void): () => void {
    return () => {};
  }
}
