/** The level at which each piece plays, so that all are equally loud. Pure. */

import type { Segment } from "../run";
import type { Settings } from "../settings";

type Measured = Pick<Segment, "loudnessLufs" | "truePeakDbtp">;

/** A piece may be this much too soft: that is not noticed, and sounds better than a limiter. */
const SHORTFALL_DB_MAX = 1;

/**
 * The level that brings a track to -18 LUFS, within -12..+14 dB. Its true peak stays under
 * -1 dBTP: by the level alone, or by the limiter where there is one. A track that was not measured
 * is taken for one of Suno's usual loudness.
 */
export function levelFor(track: Measured, limited: boolean, settings: Settings): number {
  const wanted = wantedDb(track, settings);
  return levelOfDb(limited ? wanted : Math.min(wanted, headroomDb(track, settings)));
}

/** Whether its peaks alone would keep a track that is made louder softer than the others. */
export function needsLimiter(track: Measured, settings: Settings): boolean {
  const wanted = wantedDb(track, settings);
  return wanted > 0 && headroomDb(track, settings) < wanted - SHORTFALL_DB_MAX;
}

function wantedDb({ loudnessLufs }: Measured, settings: Settings): number {
  const wanted = settings.targetLufs - (loudnessLufs ?? settings.assumedLufs);
  return Math.min(Math.max(wanted, settings.gainDbMin), settings.gainDbMax);
}

/** A peak that was not measured may be high, so such a track is not amplified without a limiter. */
function headroomDb({ loudnessLufs, truePeakDbtp }: Measured, settings: Settings): number {
  if (truePeakDbtp !== null) return settings.truePeakDbtpMax - truePeakDbtp;
  return loudnessLufs === null ? Infinity : 0;
}

/** How long a change between two levels takes, so that it is not noticed. */
export function slideSeconds(from: number, to: number, settings: Settings): number {
  if (from <= 0 || to <= 0) return settings.againFadeSeconds;
  return Math.abs(dbOfLevel(to) - dbOfLevel(from)) / settings.slideDbPerSecond;
}

function levelOfDb(db: number): number {
  return 10 ** (db / 20);
}

export function dbOfLevel(level: number): number {
  return 20 * Math.log10(level);
}
