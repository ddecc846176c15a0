/** What plays one file: a port. Web Audio, plain elements and the fake pass one contract test suite. */

import type { Samples } from "./playback/cross-correlation";
import type { FadeShape } from "./playback/curves";
import type { Range } from "./snapshot";

/**
 * `graph`: through Web Audio, the host must allow CORS. `plain`: an element by itself, any host.
 */
export type DeckOutput = "graph" | "plain";

/** Events of a deck that no call caused. */
export type DeckEvent =
  /** The data ran out before the end of the file. */
  | "stalled"
  /** It sounds again by itself. */
  | "flowing"
  /** The file is over. */
  | "ended"
  /** The file cannot be played any further. */
  | "lost"
  /** Something outside paused it: a call, headphones pulled out. */
  | "interrupted";

/** The browser wants a tap before it plays. */
export class GestureNeeded extends Error {}
/** The file cannot be opened or sought. */
export class Unplayable extends Error {}
/** The deck was given something else to do in the meantime. */
export class Superseded extends Error {}

/** Whether a deck may reject with this. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof GestureNeeded || error instanceof Unplayable || error instanceof Superseded
  );
}

export interface Deck {
  readonly output: DeckOutput;
  /** Whether the level can move smoothly; where not, it is either silent or not (iOS). */
  readonly fades: boolean;
  /** Seconds into the file. */
  readonly position: number;
  /** The length of the file; null while it is a stream of unknown end. */
  readonly duration: number | null;
  /** All of the file is there: its length will not change any more. */
  readonly whole: boolean;
  /** What can be heard without waiting, around `position`; null where the browser does not tell. */
  readonly buffered: Range | null;
  /** 0 is silence, 1 the file as it is. */
  readonly level: number;
  /** Seconds between what the file says and what is heard of it, beyond those of every deck. */
  readonly latency: number;
  /** Seconds between `play()` and the first sound, about; 0 where that comes at once. */
  readonly beginSeconds: number;
  /** Asked to play, and neither paused nor over. */
  readonly playing: boolean;
  /**
   * Opens a file, silent and paused, and resolves when it can play from there; from its
   * beginning where it ends before that place, or is a stream that cannot be sought.
   * Rejects with Unplayable or Superseded.
   */
  load(url: string, atSeconds: number): Promise<void>;
  /** Rejects with TapNeeded or Superseded. */
  play(): Promise<void>;
  pause(): void;
  /** Resolves when it can play from there. Rejects with Unplayable or Superseded. */
  seek(seconds: number): Promise<void>;
  /**
   * Moves on (or back) by a few ms while playing silently; resolves when done. Rejects with
   * Unplayable where it cannot.
   */
  nudge(seconds: number): Promise<void>;
  /**
   * Moves the level from where it is, now or `afterSeconds` later; a new fade replaces the one under
   * way, and the one that has not begun.
   */
  fade(level: number, seconds: number, shape: FadeShape, afterSeconds?: number): void;
  /** Whether peaks are kept under -1 dBTP; to be said while it is silent. */
  limit(on: boolean): void;
  /** The samples it has just played, before its gain; null where they cannot be read. */
  recentSamples(): Samples | null;
  /** Silent, paused, empty. */
  unload(): void;
  /** Silent and paused without a fade, by every means there is; empty too where told. */
  cut(emptied: boolean): void;
  /** Tells what happens unasked; returns how to stop. */
  watch(listener: (event: DeckEvent) => void): () => void;
}

/** The bed: a quiet loop that plays while music is not available. */
export interface Bed {
  /** Moves its level from where it is; 0 ends in silence. */
  fade(level: number, seconds: number): void;
  /** Silent without a fade, by every means there is. */
  cut(): void;
  readonly level: number;
  /** It will never sound: there is no file, or it cannot be played. */
  readonly missing: boolean;
}

export type DecksEvent =
  /** The system took the sound away (iOS `interrupted`). */
  | "interrupted"
  /** Sound is possible again. */
  | "restored";

/** All audio of the player; made by `browserDecks()` in a browser. */
export interface Decks {
  /** Two of each output that exists here. */
  readonly decks: readonly Deck[];
  readonly bed: Bed;
  /** Call it in a user gesture: resumes the context and primes the elements. */
  unlock(): Promise<void>;
  /** Over everything: 0..1. Where `fades` is false the browser ignores it, muting excepted. */
  volume(volume: number, muted: boolean): void;
  /** The root mean square of what sounds now, 0..1; 0 where it cannot be known. */
  rms(): number;
  watch(listener: (event: DecksEvent) => void): () => void;
  /** Fades everything out. Tries every deck; throws at the end if one failed. */
  fadeOut(seconds: number): void;
  /**
   * Everything is silent and paused without a fade, empty too where told, and the output rests
   * until `unlock()`. Does all it can; throws where any of it failed.
   */
  cut(emptied: boolean): void;
  /** Nothing sounds: every deck is paused and has not moved since this was last asked. */
  readonly silent: boolean;
  /** The output's own clock, while it is to run; null where there is none. */
  readonly outputSeconds: number | null;
  /** Resumes an output whose clock stands still. */
  wake(): void;
  /** Discards the output and what is loaded; the next `unlock()` opens another. */
  renew(): void;
  start(): void;
  stop(): void;
}
