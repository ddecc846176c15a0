/** The public door: verbs, `snapshot()`, `subscribe()`. */

import type { Clock } from "./clock";
import type { Decks } from "./deck";
import type { Feed, Sign } from "./feed";
import type { Settings } from "./settings";
import type { Place, Snapshot } from "./snapshot";

export interface PlayerParts {
  readonly clock: Clock;
  readonly decks: Decks;
  readonly feed: Feed;
  readonly sign: Sign;
  readonly settings?: Partial<Settings>;
}

export interface Player {
  /** In the tap: unlocks the sound; the bed comes in and the music follows by itself. */
  start(): void;
  /**
   * Follows a run, before or after `start()`. With a place: paused there until `resume()`.
   * Attaching another run lets go of the one before.
   */
  attach(runId: string, place?: Place): void;
  pause(): void;
  /** In a tap, where `needsGesture` or after a reload. */
  resume(): void;
  /** Silence within 50 ms, whatever was going on. Ends with `start()` or `attach()`. */
  stop(): void;
  /** To the beginning of the piece, or to the one before when at its beginning. */
  previous(): void;
  next(): void;
  /** To a place in the journey, as far as `seekable` allows. */
  seek(journeySeconds: number): void;
  /** 0..1; unmutes. */
  setVolume(volume: number): void;
  setMuted(muted: boolean): void;
  /** The listener's own switch for « En attendant votre musique ». */
  setBed(on: boolean): void;
  /** What the browser knows about its network. */
  setOnline(online: boolean): void;
  /** How loud it is now, 0..1, unsmoothed: for the light. */
  rms(): number;
  snapshot(): Snapshot;
  /** Calls back after every change of the snapshot, at most once a task; returns how to stop. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** Silent, and no listener or timer left. */
  dispose(): void;
}

export declare function createPlayer(parts: PlayerParts): Player;
