/** Brings one deck to where another is, so that nobody hears which of the two plays. */

import type { Clock } from "./clock";
import type { Deck } from "./deck";
import { lagOf } from "./lag";
import type { Settings } from "./settings";
import { pause, type Turn, within } from "./turn";

/** How far ahead the follower waits for the leader; doubled when seeking takes longer. */
const AHEAD_SECONDS = 0.5;
/** A deck that has just begun is measured when there is enough to compare. */
const STEADY_SECONDS = 0.75;

/** A deck says where it is as exactly as its browser does: it may take a second look. */
const CORRECTIONS_MAX = 2;
const NUDGE_SECONDS_MAX = 0.25;
/** What is heard as one music still. */
const APART_SECONDS_MAX = 0.03;

export class Aligner {
  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** Where a follower should open, so that the leader comes by a little later. */
  ahead(leader: Deck): number {
    return leader.position + AHEAD_SECONDS;
  }

  /**
   * The follower plays, silently, at the leader's position. False, or an error of a deck's, when
   * that cannot be within `swapSecondsMax`, or the turn is over: nothing has been heard then.
   */
  async align(leader: Deck, follower: Deck, turn: Turn): Promise<boolean> {
    const latest = this.clock.now() + this.settings.swapSecondsMax;
    if (!(await this.wait(leader, follower, latest, turn))) return false;
    await within(this.clock, latest - this.clock.now(), follower.play());
    const met = await this.correct(leader, follower, turn);
    return met && !turn.over && leader.playing && this.clock.now() <= latest;
  }

  /** Measured, moved, and measured again. False where they cannot be brought together. */
  private async correct(leader: Deck, follower: Deck, turn: Turn): Promise<boolean> {
    for (let tries = 0; ; tries += 1) {
      await pause(this.clock, STEADY_SECONDS);
      if (turn.over) return false;
      const behind = behindBy(leader, follower);
      if (Math.abs(behind) <= this.settings.driftSecondsMax) return true;
      if (tries === CORRECTIONS_MAX) return Math.abs(behind) <= APART_SECONDS_MAX;
      await this.move(leader, follower, behind);
      if (turn.over) return false;
    }
  }

  /** By its speed where it is near; one that is far ahead waits, one far behind is sought. */
  private async move(leader: Deck, follower: Deck, behind: number): Promise<void> {
    if (Math.abs(behind) <= NUDGE_SECONDS_MAX) return follower.nudge(behind);
    if (behind > 0) return follower.seek(leader.position);
    follower.pause();
    await pause(this.clock, -behind);
    await follower.play();
  }

  /** Until the leader reaches the place where the follower stands ready. */
  private async wait(leader: Deck, follower: Deck, latest: number, turn: Turn): Promise<boolean> {
    for (let ahead = AHEAD_SECONDS; ; ahead *= 2) {
      const left = follower.position - leader.position;
      if (turn.over || !leader.playing || this.clock.now() + left > latest) return false;
      if (left >= 0) {
        await pause(this.clock, left);
        return !turn.over;
      }
      const there = follower.seek(leader.position + 2 * ahead);
      await within(this.clock, latest - this.clock.now(), there);
    }
  }
}

/**
 * What is heard decides where it can be compared: after a seek a file may sound a whole frame
 * beside the place that its element tells.
 */
function behindBy(leader: Deck, follower: Deck): number {
  const [one, other] = [leader.hear(), follower.hear()];
  const lag = one && other && lagOf(one, other);
  const behind = lag ?? leader.position - follower.position;
  return behind + follower.latency - leader.latency;
}
