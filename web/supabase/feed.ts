/**
 * Updates of a run: by Realtime where the project has it, else by polling.
 *
 * An event of Realtime only means "read again": what the engine hears was always read under RLS
 * with the listener's own token. Realtime was not tried against a hosted project.
 */

import type { Cancel, Clock, Feed, FeedListener, FeedSubscription, Run } from "../engine";
import { asServiceError, type ServiceError } from "./service-error";

/** Seconds between two readings. */
export const BEFORE_SOUND_S = 0.75;
/** Suno's first preview comes 30 to 40 s after the tap: half a pause is waited for it on average. */
export const FIRST_DUE_S = 0.15;
/** When the first preview is due, in seconds since reading began; create has taken some before. */
export const FIRST_DUE_FROM_S = 20;
export const FIRST_DUE_UNTIL_S = 60;
export const AFTER_SOUND_S = 2;
export const HIDDEN_S = 10;
/** With Realtime alive, reading is only a safety net. */
export const LIVE_S = 10;
/** A session that is refused may only wait for Auth to come back and renew it; not for ever. */
export const SIGNED_OUT_S = 60;

/** Notifies of changes of one run; `alive` says whether notifications arrive at present. */
export type ChangeWatch = (
  runId: string,
  listener: { changed(): void; alive(alive: boolean): void },
) => Cancel;

export interface FeedParts {
  readonly clock: Clock;
  readonly read: (runId: string) => Promise<Run>;
  /** Realtime, where the project has one. */
  readonly watch?: ChangeWatch;
  /** Called when polling cannot continue: the run is gone, or the session is over. */
  readonly lost: (error: ServiceError) => void;
  readonly page: Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;
}

export class RunFeed implements Feed {
  constructor(private readonly parts: FeedParts) {}

  subscribe(runId: string, listener: FeedListener): FeedSubscription {
    const reading = new RunPoller(runId, listener, this.parts);
    reading.start();
    return reading;
  }
}

class RunPoller implements FeedSubscription {
  private next: Cancel = () => {};
  private unwatch: Cancel = () => {};
  private underWay = false;
  private again = false;
  private sounded = false;
  private begunAt = 0;
  private live = false;
  private reached = false;
  private over = false;
  private signedOutSince: number | null = null;
  private readonly turned = () => this.readNow();

  constructor(
    private readonly runId: string,
    private readonly listener: FeedListener,
    private readonly parts: FeedParts,
  ) {}

  start(): void {
    this.begunAt = this.parts.clock.now();
    this.parts.page.addEventListener("visibilitychange", this.turned);
    this.unwatch =
      this.parts.watch?.(this.runId, {
        changed: () => this.readNow(),
        alive: (alive) => {
          this.live = alive;
          this.readNow();
        },
      }) ?? this.unwatch;
    this.readNow();
  }

  soundStarted(): void {
    this.sounded = true;
  }

  unsubscribe(): void {
    this.over = true;
    this.next();
    this.unwatch();
    this.parts.page.removeEventListener("visibilitychange", this.turned);
  }

  private readNow(): void {
    this.next();
    if (this.over) return;
    // A change that arrives during a request may be newer than its answer.
    if (this.underWay) this.again = true;
    else void this.read();
  }

  private async read(): Promise<void> {
    this.underWay = true;
    this.again = false;
    try {
      const run = await this.parts.read(this.runId);
      if (!this.over) this.tell(run);
    } catch (error) {
      if (!this.over) this.miss(error);
    }
    this.underWay = false;
    if (this.again) this.readNow();
    else if (!this.over) this.next = this.parts.clock.after(this.pause(), () => this.readNow());
  }

  private tell(run: Run): void {
    // All is there, and stays as it is (docs/specification.md#run-states).
    if (run.status === "ready") this.unsubscribe();
    this.signedOutSince = null;
    this.reached = true;
    this.listener.reachable(true);
    this.listener.run(run);
  }

  private miss(error: unknown): void {
    this.reached = false;
    const failure = asServiceError(error);
    if (this.mayPass(failure)) return this.listener.reachable(false);
    this.unsubscribe();
    this.parts.lost(failure);
  }

  private mayPass({ kind, transient }: ServiceError): boolean {
    if (kind !== "signed-out") return transient;
    const now = this.parts.clock.now();
    this.signedOutSince ??= now;
    return now - this.signedOutSince < SIGNED_OUT_S;
  }

  private pause(): number {
    if (this.parts.page.hidden) return HIDDEN_S;
    if (this.live) return LIVE_S;
    if (this.sounded) return AFTER_SOUND_S;
    return this.isFirstDue() ? FIRST_DUE_S : BEFORE_SOUND_S;
  }

  private isFirstDue(): boolean {
    const elapsed = this.parts.clock.now() - this.begunAt;
    // Whatever cannot be reached is not asked more often.
    return this.reached && elapsed >= FIRST_DUE_FROM_S && elapsed < FIRST_DUE_UNTIL_S;
  }
}
