/** Brings one deck to where another is, so that nobody hears which of the two plays. */

import type { Clock } from "../clock";
import { type Deck, Superseded, Unplayable } from "../deck";
import type { Settings } from "../settings";
import { estimateLag } from "./cross-correlation";
import { onAbort, pause, within } from "./timing";

/** How far ahead the follower waits for the leader; doubled when seeking takes longer. */
const AHEAD_SECONDS = 0.5;
/** It begins so much early: what is ahead can be held back, what is behind has to be sought. */
const EARLY_SECONDS = 0.2;
/** A deck that has just begun is measured when there is enough to compare, by several looks. */
const STEADY_SECONDS = 0.2;
const LOOKS_SECONDS = 0.6;
const LOOKS_MIN = 5;
const LOOK_SECONDS = 0.02;

/** A deck says where it is as exactly as its browser does: it may take another look. */
const CORRECTIONS_MAX = 3;
const BEHIND_SECONDS_MAX = 0.25;
const AHEAD_SECONDS_MAX = 2.5;
/** What is heard as one music still. */
const APART_SECONDS_MAX = 0.03;

/** Seconds by which a follower is behind its leader. heard: by their sound, not by their places. */
interface Measured {
  readonly behind: number;
  readonly heard: boolean;
}

export class Aligner {
  /** How far ahead of the leader a follower is sought, once that was measured. */
  private leadSeconds: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** Where a follower should open, so that the leader comes by a little later. */
  ahead(leader: Deck): number {
    return leader.position + early(leader) + AHEAD_SECONDS;
  }

  /**
   * The follower plays, silently, at the leader's position. False, or an error of a deck's, when
   * that cannot be within `swapSecondsMax`, or the signal is aborted: nothing has been heard then.
   */
  async align(leader: Deck, follower: Deck, signal: AbortSignal): Promise<boolean> {
    const { swapSecondsMax } = this.settings;
    const latest = this.clock.now() + swapSecondsMax;
    const over = new AbortController();
    onAbort(signal, () => over.abort());
    try {
      // Some browsers never answer: without a limit the swap would be under way for ever.
      const met = this.meet(leader, follower, latest, over.signal);
      return (await within(this.clock, swapSecondsMax, met)) && !signal.aborted && leader.playing;
    } finally {
      over.abort();
    }
  }

  private async meet(
    leader: Deck,
    follower: Deck,
    latest: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!(await this.wait(leader, follower, latest, signal))) return false;
    await follower.play();
    return this.correct(leader, follower, signal);
  }

  /** Measured, moved, and measured again. False where they cannot be brought together. */
  private async correct(leader: Deck, follower: Deck, signal: AbortSignal): Promise<boolean> {
    for (let tries = 0, sought = false; ; tries += 1) {
      const { behind, heard } = await this.measure(leader, follower);
      if (signal.aborted) return false;
      if (sought) this.leadSeconds = Math.max(this.leadOf(follower) + behind + EARLY_SECONDS, 0);
      if (Math.abs(behind) <= this.apartMax(tries, heard)) return true;
      if (tries === CORRECTIONS_MAX) return false;
      sought = await this.move(leader, follower, behind, signal);
      if (signal.aborted) return false;
    }
  }

  /** Places alone may not tell it any better the next time. */
  private apartMax(tries: number, heard: boolean): number {
    const enough = tries === CORRECTIONS_MAX || (tries > 0 && !heard);
    return enough ? APART_SECONDS_MAX : this.settings.driftSecondsMax;
  }

  /** A little where it is near, and can be moved so; else it is sought, and true. */
  private async move(
    leader: Deck,
    follower: Deck,
    behind: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const near = behind <= BEHIND_SECONDS_MAX && behind >= -AHEAD_SECONDS_MAX;
    const nudge = () =>
      follower.nudge(behind).then(
        () => true,
        () => false,
      );
    if (near && (await nudge())) return false;
    // Others may have the follower by now.
    if (signal.aborted) throw new Superseded();
    const place = leader.position + this.leadOf(follower);
    if (place + this.settings.swapSecondsMax > (follower.duration ?? Infinity))
      throw new Unplayable("too near its end");
    await follower.seek(place);
    return true;
  }

  /**
   * What is heard decides where it can be compared: after a seek a file may sound a whole frame
   * beside the place that its element tells. That place is told roughly in some browsers: the
   * median of several looks is taken.
   */
  private async measure(leader: Deck, follower: Deck): Promise<Measured> {
    await pause(this.clock, STEADY_SECONDS);
    const looks: number[] = [];
    // Timers of a busy machine come late: as many looks as there is time for.
    const enough = this.clock.now() + LOOKS_SECONDS;
    while (this.clock.now() < enough || looks.length < LOOKS_MIN) {
      await pause(this.clock, LOOK_SECONDS);
      looks.push(leader.position - follower.position);
    }
    const [one, other] = [leader.recentSamples(), follower.recentSamples()];
    const lag = one && other && estimateLag(one, other);
    const behind = (lag ?? median(looks)) + follower.latency - leader.latency;
    return { behind, heard: lag !== null };
  }

  private leadOf(follower: Deck): number {
    return this.leadSeconds ?? early(follower);
  }

  /** Until the leader reaches the place where the follower stands ready. */
  private async wait(
    leader: Deck,
    follower: Deck,
    latest: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let ahead = AHEAD_SECONDS; ; ahead *= 2) {
      const left = follower.position - leader.position - early(follower);
      const hopeless = ahead > this.settings.swapSecondsMax || this.clock.now() + left > latest;
      if (signal.aborted || !leader.playing || hopeless) return false;
      if (left >= 0) {
        await pause(this.clock, left);
        return !signal.aborted;
      }
      await follower.seek(leader.position + early(follower) + 2 * ahead);
    }
  }
}

/** By how much a follower begins before its leader is there. */
function early(follower: Deck): number {
  return EARLY_SECONDS + follower.beginSeconds;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
