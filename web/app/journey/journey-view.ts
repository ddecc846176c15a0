/** A journey as the screens see it. */

import type { Snapshot } from "../../engine";
import type { Brief } from "../../supabase/runs";
import type { ServiceErrorKind } from "../../supabase/service-error";
import type { Phase } from "./phase";
import type { Ratings } from "./ratings";

/** What went wrong, and until when, if that is known. */
export interface ShownError {
  readonly kind: ServiceErrorKind;
  readonly until: Date | null;
}

/** All that the screens show of a journey. */
export interface JourneyView {
  readonly phase: Phase;
  readonly presetKey: string;
  readonly brief: Brief | null;
  readonly sound: Snapshot;
  /** It takes longer than usual. */
  readonly slow: boolean;
  /** An error that is being retried. */
  readonly retrying: ServiceErrorKind | null;
  /** An error that waits for the listener. */
  readonly error: ShownError | null;
  readonly ratings: Ratings;
  readonly ratingFailed: boolean;
  /** There is a run for a rating to be written to. */
  readonly rateable: boolean;
  /** Where it stopped before a reload, seconds of journey. */
  readonly keptAt: number | null;
  /** Stopped, and there is something to go on with. */
  readonly canTakeBack: boolean;
}
