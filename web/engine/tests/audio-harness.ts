/** Test harness: a player on the real decks, in a fake browser whose calls may fail. */

import { vi } from "vitest";
import { browserDecks } from "../browser/browser-decks";
import type { PlayerError } from "../errors";
import { createPlayer, type Player } from "../player";
import type { FeedListener, Run, Segment } from "../run";
import { FakeBrowser, type FakeBrowserOptions } from "../testing/fake-browser";
import { FakeClock } from "../testing/fake-clock";
import { complete, failed, previewed, queued, ready, stored } from "./player-harness";
import { SETTINGS } from "./short-settings";

export const SECONDS = 10;
const KNOWN = { plannedSeconds: SECONDS, durationSeconds: SECONDS };

export interface AudioHarnessOptions extends FakeBrowserOptions {
  readonly output?: "web-audio" | "plain";
}

export class AudioHarness {
  readonly clock = new FakeClock();
  readonly browser: FakeBrowser;
  readonly player: Player;
  readonly errors: PlayerError[] = [];
  private listener: FeedListener | null = null;
  private segments: readonly Segment[] = [0, 1, 2].map((i) => queued(i, KNOWN));

  constructor({ output = "web-audio", ...options }: AudioHarnessOptions = {}) {
    this.browser = new FakeBrowser(this.clock, options);
    for (const [name, value] of Object.entries(this.browser.globals())) vi.stubGlobal(name, value);
    this.browser.tracks.set("bed", { seconds: 20 });
    for (const index of [0, 1, 2]) this.heal(index);
    this.player = createPlayer({
      clock: this.clock,
      decks: browserDecks({ bedUrl: "bed", output }),
      feed: {
        subscribe: (_runId, listener) => {
          this.listener = listener;
          this.tell(this.segments);
          return { soundStarted: () => {}, unsubscribe: () => {} };
        },
      },
      sign: (segmentId) => Promise.resolve(stored(segmentId)),
      settings: { ...SETTINGS, stallSecondsMax: 3 },
      onError: (error) => this.errors.push(error),
    });
  }

  /** The pieces from the first on: those that are finished, then one that is a stream. */
  tellPieces(finished: number, streams = 0): void {
    const made = (i: number) => {
      if (i < finished) return complete(i, { ...KNOWN, secondTrack: null });
      return i < finished + streams ? previewed(i, KNOWN) : queued(i, KNOWN);
    };
    this.tell([0, 1, 2].map(made));
  }

  /** A ready piece, whole. */
  reserve(): void {
    const piece = ready(0, SECONDS);
    this.browser.tracks.set(piece.url, { seconds: SECONDS });
    this.player.reserve([piece]);
  }

  /** Nothing follows the first piece any more. */
  failLater(): void {
    this.tell([complete(0, { ...KNOWN, secondTrack: null }), failed(1, KNOWN), failed(2, KNOWN)]);
  }

  /** What no service tells: no step of the journey can be made of it. */
  tellNonsense(): void {
    this.listener?.run({ id: "run", status: "creating" } as unknown as Run);
  }

  /** Every file of a piece is as it should be. */
  heal(index: number): void {
    this.browser.tracks.set(stored(`s${index}`), { seconds: SECONDS });
    const preview = { seconds: SECONDS, growing: true };
    this.browser.tracks.set(`https://stream.test/s${index}.mp3`, preview);
  }

  /** Its files stand still from there on, without a word. */
  stand(index: number, standsAt: number): void {
    for (const url of [stored(`s${index}`), `https://stream.test/s${index}.mp3`]) {
      this.browser.tracks.set(url, { seconds: SECONDS, standsAt });
    }
  }

  pass(seconds: number): Promise<void> {
    return this.clock.advance(seconds);
  }

  /** Whether anything is heard. */
  get sounds(): boolean {
    return this.browser.level > 0.001;
  }

  /** Nothing is left in the global scope. */
  close(): void {
    this.player.dispose();
    vi.unstubAllGlobals();
  }

  private tell(segments: readonly Segment[]): void {
    this.segments = segments;
    this.listener?.run({ id: "run", status: "creating", segments });
  }
}
