/** How audio elements of this browser start to play: observed, as no API tells it. */

import type { DeckOutput } from "../deck";

/** An element that starts late and was idle for longer is loaded again. */
export const FRESH_MS_MAX = 100;
/** A position that jumps this far at once is not the audible position. */
const JUMP_SECONDS_MIN = 0.4;
/** A position that advanced steadily for so long and so far is trusted. */
const STEADY_MS = 150;
const STEADY_SECONDS = 0.08;
/** An element that starts after this long an idle time does not start late. */
const TELLING_MS_MIN = 700;

/** `passedMs` after play() was called, after `idleMs` without playing. moved: seconds. */
export interface StartObservation {
  readonly output: DeckOutput;
  readonly idleMs: number;
  readonly passedMs: number;
  readonly moved: number;
}

export class StartQuirks {
  /**
   * As WebKitGTK does (docs/player.md): what was open for some seconds without playing stands still
   * for as many seconds, a seek while it plays goes astray, and in a graph the place that is told
   * runs about a second ahead of what is heard. What is opened just before it plays begins at once.
   * Null until it was seen.
   */
  startsLate: boolean | null = null;

  /**
   * Seconds by which its place runs ahead of what is heard; null where it has to be opened again;
   * undefined while it cannot be told.
   */
  judge({ output, idleMs, passedMs, moved }: StartObservation): number | null | undefined {
    const jumped = moved - passedMs / 1000;
    if (jumped > JUMP_SECONDS_MIN) {
      this.startsLate = true;
      return idleMs > FRESH_MS_MAX ? null : jumped;
    }
    if (passedMs < STEADY_MS || moved < STEADY_SECONDS) return undefined;
    if (output === "graph" || idleMs > TELLING_MS_MIN) this.startsLate = false;
    return 0;
  }

  /** It has the data, says that it plays, and has not moved for long. */
  judgeStill(idleMs: number): number | null {
    if (idleMs <= FRESH_MS_MAX) return 0;
    this.startsLate = true;
    return null;
  }
}
