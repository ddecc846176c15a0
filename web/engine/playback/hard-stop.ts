/**
 * Silence as a guarantee: a path of its own that no state, promise or error can prevent. The
 * journey is told besides; nothing here waits for it.
 */

import type { Cancel, Clock } from "../clock";
import type { Decks } from "../deck";
import type { SafeCall } from "../errors";

/** A ramp begins a block of sound ahead; together with it everything is silent within 50 ms. */
const GRACE_SECONDS = 0.03;
/** When it is verified that nothing sounds, counted from the look before. */
const LOOKS_SECONDS = [0.05, 0.1, 0.1, 0.25, 0.5, 1, 2, 4, 8] as const;
/** After so many looks at something that still sounds, the output itself is given up. */
const LOOKS_BEFORE_RENEWAL = 3;

export class HardStop {
  private cancel: Cancel = () => {};
  private quiet = false;
  private emptied = false;

  /** `safeCall` reports what is thrown, and never throws. */
  constructor(
    private readonly clock: Clock,
    private readonly decks: Decks,
    private readonly rampSeconds: number,
    private readonly safeCall: SafeCall,
  ) {}

  /** Whether nothing may sound. */
  get active(): boolean {
    return this.quiet;
  }

  /** Everything fades out at once, is paused, and emptied where told. Never throws. */
  silence(emptied: boolean): void {
    this.cancelTimer();
    this.emptied = emptied || (this.quiet && this.emptied);
    this.quiet = true;
    const fadeOut = () => {
      this.decks.fadeOut(this.rampSeconds);
      return true;
    };
    if (!this.safeCall("fadeOut", fadeOut, false)) return this.cutAndVerify(0, 0);
    this.after(this.rampSeconds + GRACE_SECONDS, () => this.cutAndVerify(0, 0));
  }

  /** Sound is wanted again. */
  lift(): void {
    this.cancelTimer();
    this.quiet = false;
    this.emptied = false;
  }

  /** Silent this very moment, and nothing left to do. */
  end(): void {
    this.cancelTimer();
    this.safeCall("cut", () => this.decks.cut(true), undefined);
  }

  private cutAndVerify(look: number, noisy: number): void {
    this.safeCall("cut", () => this.decks.cut(this.emptied), undefined);
    this.verifyLater(look, noisy);
  }

  private verifyLater(look: number, noisy: number): void {
    const seconds = LOOKS_SECONDS[look];
    if (seconds !== undefined) this.after(seconds, () => this.verify(look + 1, noisy));
  }

  private verify(look: number, noisy: number): void {
    if (this.safeCall("silent", () => this.decks.silent, false))
      return this.verifyLater(look, noisy);
    if (noisy + 1 === LOOKS_BEFORE_RENEWAL)
      this.safeCall("renew", () => this.decks.renew(), undefined);
    this.cutAndVerify(look, noisy + 1);
  }

  /** Where there is no timer to be had, at once. */
  private after(seconds: number, then: () => void): void {
    const set = () => {
      this.cancel = this.clock.after(seconds, then);
      return true;
    };
    if (!this.safeCall("timer", set, false))
      this.safeCall("cut", () => this.decks.cut(this.emptied), undefined);
  }

  private cancelTimer(): void {
    this.safeCall("timer", this.cancel, undefined);
    this.cancel = () => {};
  }
}
