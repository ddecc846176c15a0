/** Ready pieces of music, a second source beside the run (docs/specification.md#playback). */

/** One ready piece, composed ahead of time for a preset (docs/specification.md#reserve). */
export interface ReservePiece {
  readonly id: string;
  readonly url: string;
  readonly seconds: number;
  readonly loudnessLufs: number | null;
}

/** The ready pieces for a preset, those heard least recently first; [] when there are none. May reject. */
export type FindReserve = (presetKey: string) => Promise<readonly ReservePiece[]>;
