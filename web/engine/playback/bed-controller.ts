/** Decides when the bed plays: while waiting, and whenever nothing else can be heard. */

import type { Bed } from "../deck";
import type { Journey } from "../planner/state";
import type { Settings } from "../settings";
import type { StateName } from "../snapshot";

export class BedController {
  private wanted = false;
  /** The state in which it was started. */
  private startedIn: StateName = "idle";
  private switchedOn: boolean;

  constructor(
    private readonly bed: Bed,
    private readonly settings: Settings,
  ) {
    this.switchedOn = settings.bedOn;
  }

  /** The listener's own switch. */
  get on(): boolean {
    return this.switchedOn;
  }

  /** It is heard. */
  get sounding(): boolean {
    return this.due && this.bed.level > 0;
  }

  /** It can never be heard. */
  get missing(): boolean {
    return this.bed.missing;
  }

  /** It should be heard; it may still be loading. */
  private get due(): boolean {
    return this.wanted && this.switchedOn;
  }

  setOn(on: boolean): void {
    if (on === this.switchedOn) return;
    this.switchedOn = on;
    if (this.wanted) this.bed.fade(on ? 1 : 0, this.settings.bedInSeconds);
  }

  /** Starts it again where the browser refused to play it. */
  retry(): void {
    if (this.due && this.bed.level === 0) this.bed.fade(1, this.settings.bedInSeconds);
  }

  /** The state has changed, or the buffer is about to run out. */
  update(before: StateName, after: Journey): void {
    const wanted = wantsBed(after);
    // A bed that fades out slowly must be silent at once after a pause or Stop.
    const silence = before !== after.name && !wanted && after.name !== "playing";
    if (wanted === this.wanted && !silence) return;
    if (wanted) this.startedIn = after.name;
    this.wanted = wanted;
    if (!this.switchedOn && wanted) return;
    if (wanted) this.bed.fade(1, this.secondsIn(after.name));
    else this.bed.fade(0, this.secondsOut(after.name));
  }

  private secondsIn(after: StateName): number {
    const covers = after === "stalled" || after === "playing";
    return covers ? this.settings.bedCoverSeconds : this.settings.bedInSeconds;
  }

  private secondsOut(after: StateName): number {
    if (after !== "playing") return this.settings.stopRampSeconds;
    // Music may start with little of it buffered, so the bed fades out slowly.
    return this.startedIn === "waiting"
      ? this.settings.bedOutSeconds
      : this.settings.againFadeSeconds;
  }
}

function wantsBed({ name, bufferLow, closing }: Journey): boolean {
  if (name === "playing") return bufferLow && !closing;
  return name === "waiting" || name === "stalled" || name === "failed";
}
