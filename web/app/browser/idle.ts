/** Dims what is not needed after a while without input. */

import type { Cancel, Clock } from "../../engine";

export const IDLE_S = 8;
const ACTIVITY_EVENTS = [
  "pointerdown",
  "pointermove",
  "keydown",
  "focusin",
  "wheel",
  "touchstart",
] as const;

export class Idle {
  private cancel: Cancel = () => {};
  private readonly onActivity = () => this.restart();

  constructor(
    private readonly clock: Clock,
    private readonly onChange: (idle: boolean) => void,
    private readonly page: Window = window,
    private readonly seconds = IDLE_S,
  ) {}

  start(): void {
    for (const sign of ACTIVITY_EVENTS)
      this.page.addEventListener(sign, this.onActivity, { passive: true });
    this.restart();
  }

  stop(): void {
    for (const sign of ACTIVITY_EVENTS) this.page.removeEventListener(sign, this.onActivity);
    this.cancel();
  }

  private restart(): void {
    this.onChange(false);
    this.cancel();
    this.cancel = this.clock.after(this.seconds, () => this.onChange(true));
  }
}
