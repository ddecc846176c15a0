/** A journey as the screens see it. */

import type { Snapshot } from "../engine";
import type { Brief } from "../supabase/runs";
import type { TroubleKind } from "../supabase/trouble";
import type { Ratings } from "./ratings";
import type { Stage } from "./stage";

/** What went wrong, and until when, if that is known. */
export interface Said {
  readonly kind: TroubleKind;
  readonly until: Date | null;
}

/** All that the screens show of a journey. */
export interface ListeningView {
  readonly stage: Stage;
  readonly presetKey: string;
  readonly brief: Brief | null;
  readonly sound: Snapshot;
  /** It takes longer than usual. */
  readonly long: boolean;
  /** A trouble that is being tried again by itself. */
  readonly hiccup: TroubleKind | null;
  /** A trouble that waits for the listener. */
  readonly trouble: Said | null;
  readonly ratings: Ratings;
  readonly ratingFailed: boolean;
  /** There is a run for a rating to be written to. */
  readonly rateable: boolean;
  /** Where it stopped before a reload, seconds of journey. */
  readonly keptAt: number | null;
  /** Stopped, and there is something to go on with. */
  readonly canTakeBack: boolean;
}
