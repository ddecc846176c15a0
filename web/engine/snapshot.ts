/** What a page needs to show the player. */

import type { Run, Segment } from "./run";

export type StateName =
  | "idle"
  | "waiting"
  | "playing"
  | "paused"
  | "stalled"
  | "finished"
  | "stopped"
  | "failed";

/** Where a listener is: kept by the page, given back to `attach` after a reload. */
export interface Place {
  readonly runId: string;
  /** While a piece of the reserve sounds, the next of the run, at its beginning. */
  readonly segmentIndex: number;
  readonly pieceSeconds: number;
  /** For the words « Reprendre à 6 min 12 ». */
  readonly journeySeconds: number;
}

export type GestureReason = "permission" | "output";

export interface Range {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export interface Snapshot {
  readonly state: StateName;
  /** Null until attached, and until it was read once. */
  readonly run: Run | null;
  /** The segment in hand: the one that sounds, or would if it were not paused or stalled. */
  readonly segment: Segment | null;
  /** Where the piece in hand comes from: the listener's own run or the reserve; null without one. */
  readonly source: "run" | "reserve" | null;
  /** A piece of the reserve is in hand, and one of the run can be heard: `own()` goes there. */
  readonly ownPlayable: boolean;
  /** What sounds of it. */
  readonly kind: "preview" | "final" | null;
  /** The piece was too short, or the next is late: a second track or the piece again. */
  readonly carriedOn: boolean;
  /** The last fade is under way. */
  readonly closing: boolean;
  /** The place in the journey: counts sound, not pauses. */
  readonly journeySeconds: number;
  /** What the journey will come to, as known now. */
  readonly totalSeconds: number;
  /** The place in the segment in hand. */
  readonly pieceSeconds: number;
  /** Up to where the piece can be heard without waiting, in piece time. */
  readonly bufferedSeconds: number;
  /** Where `seek` may go, in journey time; null while nothing can be sought. */
  readonly seekable: Range | null;
  /** 0..1 */
  readonly volume: number;
  readonly muted: boolean;
  /**
   * `on`: the listener's switch. `sounding`: it is heard; it may be on and still load. `missing`:
   * there is none, or it cannot be played.
   */
  readonly bed: { readonly on: boolean; readonly sounding: boolean; readonly missing: boolean };
  /** A tap is wanted: offer one button that calls `resume()`. */
  readonly needsGesture: boolean;
  /**
   * Why: the browser wants one before it plays; or the output, or a source, stood still although
   * it was said to run, and the tap opens another output.
   */
  readonly gestureReason: GestureReason | null;
  /** The player stopped because of a mistake of its own. */
  readonly fault: "internal" | null;
  /** Paused by a call, or by headphones pulled out. Never resumed alone. */
  readonly interrupted: boolean;
  /** Clock seconds since when nothing but the bed is heard; null otherwise. */
  readonly waitingSince: number | null;
  readonly network: "online" | "offline";
  readonly canPrevious: boolean;
  readonly canNext: boolean;
  /** To be kept and given back to `attach`; null before the first sound. */
  readonly place: Place | null;
}
