/** How loud a piece is to be played, so that all pieces sound alike. Pure. */

import type { Segment } from "./run";
import type { Settings } from "./settings";

type Measured = Pick<Segment, "loudnessLufs" | "truePeakDbtp">;

/**
 * The level that brings a track to -18 LUFS, within -12..+6 dB, its true peak under -1 dBTP.
 * A track that was not measured is taken for one of Suno's usual loudness.
 */
export function levelFor(track: Measured, settings: Settings): number {
  const wanted = settings.targetLufs - (track.loudnessLufs ?? settings.assumedLufs);
  const bounded = Math.min(Math.max(wanted, settings.gainDbMin), settings.gainDbMax);
  const headroom =
    track.truePeakDbtp === null ? Infinity : settings.truePeakDbtpMax - track.truePeakDbtp;
  return levelOfDb(Math.min(bounded, headroom));
}

/** How long a slide between two levels takes, so that nobody notices it. */
export function slideSeconds(from: number, to: number, settings: Settings): number {
  if (from <= 0 || to <= 0) return settings.againFadeSeconds;
  return Math.abs(dbOfLevel(to) - dbOfLevel(from)) / settings.slideDbPerSecond;
}

export function levelOfDb(db: number): number {
  return 10 ** (db / 20);
}

export function dbOfLevel(level: number): number {
  return 20 * Math.log10(level);
}
