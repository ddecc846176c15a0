/** The decks of this browser: through a graph where it can be had, else plain elements. */

import { type Bed, type Deck, type Decks, type DecksEvent, GestureNeeded } from "../deck";
import { attemptAll } from "../errors";
import type { BedFiles } from "./beds";
import { GraphDecks } from "./graph-decks";
import { PlainDecks } from "./plain-decks";
import { prefersGraph } from "./platform";

export interface BrowserDecksOptions {
  /** The seamless loop heard while waiting; same origin. Null: one waits in silence. */
  readonly bedUrl: string | null;
  /** A few seconds of it, which sound until the whole has arrived; same origin. */
  readonly bedStartUrl?: string | null;
  /** `plain` is what `?output=plain` asks for. */
  readonly output?: "auto" | "web-audio" | "plain";
}

/** Decks whose bed says when it can sound, or never will. */
export interface BedDecks extends Decks {
  readonly bed: Bed & { readonly ready: Promise<unknown> };
}

export function browserDecks({
  bedUrl,
  bedStartUrl = null,
  output = "auto",
}: BrowserDecksOptions): BedDecks {
  const graph = output === "auto" ? prefersGraph() : output === "web-audio";
  const files = { url: bedUrl, startUrl: bedStartUrl };
  return graph ? new BrowserDecks(files) : new PlainDecks(files);
}

/** A graph given up once is made anew; a second time plain elements take its place. */
const RENEWALS_MAX = 1;

class BrowserDecks implements BedDecks {
  private current: GraphDecks | PlainDecks;
  private renewals = 0;
  private started = false;
  private loudness: readonly [number, boolean] = [1, false];
  private readonly listeners = new Set<(event: DecksEvent) => void>();
  readonly bed: BedDecks["bed"];

  constructor(private readonly files: BedFiles) {
    this.current = new GraphDecks(files);
    const current = () => this.current;
    this.bed = {
      ready: this.current.bed.ready,
      get level() {
        return current().bed.level;
      },
      get missing() {
        return current().bed.missing;
      },
      fade: (level, seconds) => current().bed.fade(level, seconds),
      cut: () => current().bed.cut(),
    };
  }

  get decks(): readonly Deck[] {
    return this.current.decks;
  }

  get silent(): boolean {
    return this.current.silent;
  }

  get outputSeconds(): number | null {
    return this.current.outputSeconds;
  }

  start(): void {
    this.started = true;
    this.current.watch((event) => this.tell(event));
    this.current.start();
  }

  stop(): void {
    this.started = false;
    this.current.stop();
  }

  async unlock(): Promise<void> {
    try {
      await this.current.unlock();
    } catch (error) {
      if (error instanceof GestureNeeded || this.current instanceof PlainDecks) throw error;
      this.fallBack();
      await this.current.unlock();
      throw error;
    }
  }

  volume(volume: number, muted: boolean): void {
    this.loudness = [volume, muted];
    this.current.volume(volume, muted);
  }

  rms(): number {
    return this.current.rms();
  }

  fadeOut(seconds: number): void {
    this.current.fadeOut(seconds);
  }

  cut(emptied: boolean): void {
    this.current.cut(emptied);
  }

  wake(): void {
    this.current.wake();
  }

  renew(): void {
    this.renewals += 1;
    if (this.current instanceof PlainDecks || this.renewals <= RENEWALS_MAX) this.current.renew();
    else this.fallBack();
  }

  watch(listener: (event: DecksEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** To plain elements, for good. */
  private fallBack(): void {
    const before = this.current;
    const plain = new PlainDecks(this.files);
    this.current = plain;
    attemptAll(
      () => before.renew(),
      () => before.stop(),
      () => plain.volume(...this.loudness),
      () => this.started && plain.start(),
    );
  }

  private tell(event: DecksEvent): void {
    attemptAll(...[...this.listeners].map((listener) => () => listener(event)));
  }
}
