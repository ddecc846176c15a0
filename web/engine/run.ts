/** A run as the database has it (docs/specification.md#database), and the ports that deliver it. */

export type RunStatus = "creating" | "ready" | "failed";
export type SegmentStatus = "queued" | "generating" | "first" | "complete" | "failed";

/** The other track of the same Suno task; it carries a segment on when its own is too short. */
export interface SecondTrack {
  readonly id: string | null;
  readonly streamUrl: string | null;
  readonly downloadUrl: string | null;
}

/** One piece of a journey. Columns and metadata of `parcours_segments`, never its token. */
export interface Segment {
  readonly id: string;
  /** The place in the journey, from 0. */
  readonly index: number;
  readonly status: SegmentStatus;
  readonly title: string | null;
  /** `metadata.planned_seconds`: how long the piece is to be heard. */
  readonly plannedSeconds: number;
  readonly previewUrl: string | null;
  /** Only where the track could not be stored; it expires. */
  readonly finalUrl: string | null;
  readonly storagePath: string | null;
  readonly durationSeconds: number | null;
  /** `metadata.suno_track_id`: the ONE track behind both the preview and the final. */
  readonly sunoTrackId: string | null;
  readonly secondTrack: SecondTrack | null;
  /** `metadata.loudness_lufs` and `metadata.true_peak_dbtp` of the stored track. */
  readonly loudnessLufs: number | null;
  readonly truePeakDbtp: number | null;
  /** `metadata.sound_end_seconds`: where the stored track falls silent, when before its end. */
  readonly soundEndSeconds: number | null;
}

export interface Run {
  readonly id: string;
  readonly status: RunStatus;
  /** Suno was busy or may not be paid today: composing goes on by itself then, ms since 1970. */
  readonly retryAt?: number;
  /** In the order of `index`. */
  readonly segments: readonly Segment[];
}

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
