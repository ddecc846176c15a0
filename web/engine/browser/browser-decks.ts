/** The decks of this browser. */

import type { Decks } from "../deck";

export interface BrowserDecksOptions {
  /** The seamless loop heard while waiting; same origin. */
  readonly bedUrl: string;
  /**
   * `auto`: Web Audio, except on an iOS without `navigator.audioSession`, where sound
   * through a graph stops when the screen locks. `plain` is what `?output=plain` asks for.
   */
  readonly output?: "auto" | "web-audio" | "plain";
}

export declare function browserDecks(options: BrowserDecksOptions): Decks;
