/** Detects a position or an output clock that stands still: browsers do not always send an event. Pure. */

/**
 * `place`: the file does not go on. `start`: it does not begin, though it is said to play.
 * `output`: the sound card's clock does not go on.
 */
export type Standstill = "place" | "start" | "output";

/** A late check, after the device slept for example, counts as no more than this. */
const LOOK_SECONDS_MAX = 1;

export class StallDetector {
  private lookedAt = 0;
  private readonly place = new Stillness();
  private readonly output = new Stillness();

  constructor(private readonly standstillSeconds: number) {}

  /** `place` and `output` are null when they need not advance. Returns what stands still, at most once per period. */
  check(now: number, place: number | null, output: number | null): Standstill | null {
    const seconds = Math.min(now - this.lookedAt, LOOK_SECONDS_MAX);
    this.lookedAt = now;
    const placeStands = this.place.lasts(place, seconds, this.standstillSeconds);
    const outputStands = this.output.lasts(output, seconds, this.standstillSeconds);
    if (outputStands) return "output";
    return placeStands ? "place" : null;
  }
}

class Stillness {
  private last: number | null = null;
  private seconds = 0;

  lasts(value: number | null, seconds: number, atLeast: number): boolean {
    const stands = value !== null && value === this.last;
    this.last = value;
    this.seconds = stands ? this.seconds + seconds : 0;
    if (this.seconds < atLeast) return false;
    this.seconds = 0;
    return true;
  }
}
