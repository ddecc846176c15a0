/** Notifies when music takes longer than usual. */

import type { Cancel, Clock } from "../../engine";

export const SLOW_S = 45;

export class WaitMonitor {
  private since: number | null = null;
  private cancel: Cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly noticed: () => void,
  ) {}

  /** `since`: clock seconds since when nothing but the bed is heard; null while music sounds. */
  follow(since: number | null): void {
    if (since === this.since) return;
    this.stop();
    this.since = since;
    if (since === null) return;
    this.cancel = this.clock.after(since + SLOW_S - this.clock.now(), this.noticed);
  }

  get slow(): boolean {
    return this.since !== null && this.clock.now() - this.since >= SLOW_S;
  }

  stop(): void {
    this.cancel();
    this.since = null;
  }
}
