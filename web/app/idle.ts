/** After a while without a touch, a key or the pointer, what is not needed steps back. */

import type { Cancel, Clock } from "../engine";

export const IDLE_S = 8;
const SIGNS = ["pointerdown", "pointermove", "keydown", "focusin", "wheel", "touchstart"] as const;

export class Idle {
  private cancel: Cancel = () => {};
  private readonly stirred = () => this.wake();

  constructor(
    private readonly clock: Clock,
    private readonly turned: (idle: boolean) => void,
    private readonly page: Window = window,
  ) {}

  start(): void {
    for (const sign of SIGNS) this.page.addEventListener(sign, this.stirred, { passive: true });
    this.wake();
  }

  stop(): void {
    for (const sign of SIGNS) this.page.removeEventListener(sign, this.stirred);
    this.cancel();
  }

  private wake(): void {
    this.turned(false);
    this.cancel();
    this.cancel = this.clock.after(IDLE_S, () => this.turned(true));
  }
}
