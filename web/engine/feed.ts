/** Where runs come from: a port. Realtime or polling, the engine cannot tell. */

import type { Run } from "./run";

export interface FeedEars {
  /** The run as it was just read: at once, and after each change. Repetition does no harm. */
  run(run: Run): void;
  /** Whether the last read reached the service. */
  reachable(reachable: boolean): void;
}

export interface Following {
  /** The first sound has been heard: reading may calm down. */
  heard(): void;
  stop(): void;
}

export interface Feed {
  follow(runId: string, ears: FeedEars): Following;
}

/** Signs a stored track for its owner (docs/specification.md#sign-track). May reject. */
export type Sign = (segmentId: string) => Promise<string>;
