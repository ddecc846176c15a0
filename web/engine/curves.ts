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
