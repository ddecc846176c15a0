/** The output's own time, as it is now and not as the page was last told. */

/** A sound card that falls behind is followed so quickly, in seconds a second. */
const FORGETS = 0.02;
/** No browser tells its time so late; more is a clock that stood still. */
const LATE_SECONDS_MAX = 0.5;

/**
 * `currentTime` is told to the page by messages: on a busy machine Firefox hands it over 200 ms old.
 * Both clocks run alike, so that the least that it was ever behind the page's is the true distance.
 */
export class OutputClock {
  private ahead = Number.NEGATIVE_INFINITY;
  private lookedAt = 0;

  constructor(private readonly context: Pick<BaseAudioContext, "currentTime">) {}

  /** To be called now and then while the output runs. */
  now(): number {
    const page = performance.now() / 1000;
    const { currentTime } = this.context;
    const forgotten = this.ahead - FORGETS * (page - this.lookedAt);
    this.lookedAt = page;
    this.ahead = Math.max(forgotten, currentTime - page);
    return Math.min(page + this.ahead, currentTime + LATE_SECONDS_MAX);
  }

  /** The output stood still, or was suspended. */
  forget(): void {
    this.ahead = Number.NEGATIVE_INFINITY;
  }
}
