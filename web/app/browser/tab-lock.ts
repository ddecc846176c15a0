/** Only one tab plays: the one tapped last. The others offer to take over. */

const NAME = "parcours-xl.sound";

export class TabLock {
  private release: (() => void) | null = null;

  /** `lost` is told when another tab takes the sound. */
  constructor(
    private readonly onLost: () => void,
    private readonly locks: LockManager | null = navigator.locks ?? null,
  ) {}

  get held(): boolean {
    return this.release !== null || !this.locks;
  }

  /** Takes the sound, from another tab if need be. Without Web Locks every tab may sound. */
  take(): void {
    if (this.held || !this.locks) return;
    let letGo = () => {};
    const kept = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    this.release = letGo;
    this.locks
      .request(NAME, { steal: true }, () => kept)
      .catch(() => {
        // Stolen: the promise of the former holder is rejected, and only then.
        if (this.release !== letGo) return;
        this.release = null;
        this.onLost();
      });
  }

  stop(): void {
    const release = this.release;
    this.release = null;
    release?.();
  }

  /** Whether another tab sounds just now. */
  async elsewhere(): Promise<boolean> {
    if (this.release || !this.locks) return false;
    const { held = [] } = await this.locks.query();
    return held.some((lock) => lock.name === NAME);
  }
}
