/** Where runs come from: a port. Realtime or polling, the engine cannot tell. */

import type { Run } from "./run";

export interface FeedListener {
  /** The run as it was just read: at once, and after each change. Repetition does no harm. */
  run(run: Run): void;
  /** Whether the last read reached the service. */
  reachable(reachable: boolean): void;
}

export interface FeedSubscription {
  /** The first sound has been heard: reading may calm down. */
  soundStarted(): void;
  unsubscribe(): void;
}

export interface Feed {
  subscribe(runId: string, listener: FeedListener): FeedSubscription;
}

/** Signs a stored track for its owner (docs/specification.md#sign-track). May reject. */
export type Sign = (segmentId: string) => Promise<string>;
