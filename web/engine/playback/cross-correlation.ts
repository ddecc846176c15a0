/** Estimates the lag between two recordings of the same music by cross-correlation. Pure. */

/** Samples in the order in which they sounded; the last one sounded just now. */
export interface Samples {
  readonly samples: Float32Array;
  /** Samples a second. */
  readonly rate: number;
}

/** The largest lag that is searched: some browsers report a position that is wrong by this much. */
const LAG_SECONDS_MAX = 0.15;
const WINDOW_SECONDS = 0.35;
/** The first pass is coarse: so many samples are averaged to one. */
const COARSE = 8;
/** Below this correlation (1: identical) it is not the same music, or there is too little of it. */
const LIKENESS_MIN = 0.6;

/**
 * Seconds by which `follower` is behind `leader`; negative when it is ahead. Null where the two
 * are not alike enough to tell.
 */
export function estimateLag(leader: Samples, follower: Samples): number | null {
  const { rate } = leader;
  if (follower.rate !== rate) return null;
  const lagMax = Math.round(LAG_SECONDS_MAX * rate);
  const length = Math.round(WINDOW_SECONDS * rate) + 2 * lagMax;
  if (leader.samples.length < length || follower.samples.length < length) return null;
  const one = leader.samples.slice(-length);
  const other = follower.samples.slice(-length);
  const steps = Math.ceil(lagMax / COARSE);
  const coarse = bestLag(downsampled(one), downsampled(other), -steps, steps, steps);
  const near = coarse.lag * COARSE;
  const low = Math.max(near - COARSE, -lagMax);
  const high = Math.min(near + COARSE, lagMax);
  const { lag, likeness } = bestLag(one, other, low, high, lagMax);
  return likeness < LIKENESS_MIN ? null : lag / rate;
}

/** The lag between `low` and `high` at which both are most alike; `margin` is left at the ends. */
function bestLag(
  one: Float32Array,
  other: Float32Array,
  low: number,
  high: number,
  margin: number,
): { lag: number; likeness: number } {
  let found = { lag: 0, likeness: 0 };
  for (let lag = low; lag <= high; lag += 1) {
    const likeness = correlationAt(one, other, lag, margin);
    if (likeness > found.likeness) found = { lag, likeness };
  }
  return found;
}

/** The correlation of one with the other, `lag` samples later. */
function correlationAt(
  one: Float32Array,
  other: Float32Array,
  lag: number,
  margin: number,
): number {
  let both = 0;
  let alone = 0;
  let apart = 0;
  for (let i = margin; i < one.length - margin; i += 1) {
    const a = one[i] ?? 0;
    const b = other[i + lag] ?? 0;
    both += a * b;
    alone += a * a;
    apart += b * b;
  }
  return alone > 0 && apart > 0 ? both / Math.sqrt(alone * apart) : 0;
}

/** Means of neighbours: fewer samples, and nothing too high for them. */
function downsampled(samples: Float32Array): Float32Array {
  const few = new Float32Array(Math.floor(samples.length / COARSE));
  for (let i = 0; i < few.length; i += 1) {
    let sum = 0;
    for (let j = 0; j < COARSE; j += 1) sum += samples[i * COARSE + j] ?? 0;
    few[i] = sum / COARSE;
  }
  return few;
}
