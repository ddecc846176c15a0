/** How a level moves from one value to another. Pure. */

/**
 * - `linear`: for the same music twice; the sum of both stays what it was.
 * - `equal-power`: for two different musics; the power of both together stays what it was.
 * - `smooth`: no corner at either end, for ramps as short as 20 ms.
 * - `decibel`: the same number of dB each second, for slides between two levels.
 */
export type FadeShape = "linear" | "equal-power" | "smooth" | "decibel";

export interface Fade {
  readonly from: number;
  readonly to: number;
  readonly startSeconds: number;
  readonly seconds: number;
  readonly shape: FadeShape;
}

/** A level that does not move. */
export function hold(level: number): Fade {
  return { from: level, to: level, startSeconds: 0, seconds: 0, shape: "linear" };
}

export function levelAt(fade: Fade, nowSeconds: number): number {
  const passed = nowSeconds - fade.startSeconds;
  if (passed >= fade.seconds) return fade.to;
  if (passed <= 0) return fade.from;
  return between(fade, passed / fade.seconds);
}

/** The end of a straight piece of a fade. */
export interface Ramp {
  readonly level: number;
  readonly atSeconds: number;
}

const RAMPS_PER_SECOND = 100;
const RAMPS_MIN = 16;
const RAMPS_MAX = 256;

/**
 * The fade in straight pieces, short enough for nobody to hear the corners. Any of them may be
 * taken back without touching those before it.
 */
export function rampsOf(fade: Fade): Ramp[] {
  const { to, startSeconds, seconds, shape } = fade;
  const end = { level: to, atSeconds: startSeconds + seconds };
  if (shape === "linear") return [end];
  const wanted = Math.round(seconds * RAMPS_PER_SECOND);
  const pieces = Math.min(Math.max(wanted, RAMPS_MIN), RAMPS_MAX);
  const levels = curveOf(fade, pieces + 1).slice(1, -1);
  const step = seconds / pieces;
  return [...levels.map((level, i) => ({ level, atSeconds: startSeconds + step * (i + 1) })), end];
}

/** The level of a fade that is carried out by its ramps, which are chords of the curve. */
export function levelOnRamps(fade: Fade, atSeconds: number): number {
  if (fade.seconds <= 0) return levelAt(fade, atSeconds);
  let before: Ramp = { level: fade.from, atSeconds: fade.startSeconds };
  for (const ramp of rampsOf(fade)) {
    if (atSeconds < ramp.atSeconds) {
      const passed = Math.max(atSeconds - before.atSeconds, 0);
      const part = passed / (ramp.atSeconds - before.atSeconds);
      return before.level + (ramp.level - before.level) * part;
    }
    before = ramp;
  }
  return fade.to;
}

/** The fade in `points` equal steps, first and last included. */
export function curveOf(fade: Fade, points: number): number[] {
  return Array.from({ length: points }, (_, i) => between(fade, i / (points - 1)));
}

function between({ from, to, shape }: Fade, part: number): number {
  if (shape === "decibel" && from > 0 && to > 0) return from * (to / from) ** part;
  return from + (to - from) * travelled(shape, part, to > from);
}

function travelled(shape: FadeShape, part: number, rising: boolean): number {
  const quarter = (part * Math.PI) / 2;
  if (shape === "equal-power") return rising ? Math.sin(quarter) : 1 - Math.cos(quarter);
  if (shape === "smooth") return (1 - Math.cos(part * Math.PI)) / 2;
  return part;
}
