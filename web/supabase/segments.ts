/** Rows of `parcours_runs` and `parcours_segments` as the engine knows them. */

import type { Run, RunStatus, SecondTrack, Segment, SegmentStatus } from "../engine";

/** Columns by name, always: `*` would ask for the callback's token as well. */
export const SEGMENT_COLUMNS =
  "id,segment_index,status,preview_url,final_url,storage_path,duration_seconds,metadata";
export const RUN_COLUMNS = `id,status,retry_at:metadata->>retry_at,parcours_segments(${SEGMENT_COLUMNS})`;

export interface SegmentRow {
  id: string;
  segment_index: number;
  status: SegmentStatus;
  preview_url: string | null;
  final_url: string | null;
  storage_path: string | null;
  duration_seconds: number | null;
  metadata: Record<string, unknown>;
}

export interface RunRow {
  id: string;
  status: RunStatus;
  retry_at?: string | null;
  parcours_segments: SegmentRow[];
}

/** A segment without `planned_seconds` is one that another client made: five minutes. */
const PLANNED_SECONDS = 300;

export function readRun(row: RunRow): Run {
  const segments = row.parcours_segments
    .map((segment) => readSegment(segment, row.status))
    .sort((a, b) => a.index - b.index);
  const retryAt = Date.parse(row.retry_at ?? "");
  const waits = Number.isNaN(retryAt) ? {} : { retryAt };
  return { id: row.id, status: row.status, ...waits, segments };
}

function readSegment(row: SegmentRow, run: RunStatus): Segment {
  const facts = row.metadata;
  return {
    id: row.id,
    index: row.segment_index,
    status: run === "creating" && isTriedAgain(row) ? "queued" : row.status,
    title: text(facts["title"]),
    plannedSeconds: number(facts["planned_seconds"]) ?? PLANNED_SECONDS,
    previewUrl: row.preview_url,
    finalUrl: row.final_url,
    storagePath: row.storage_path,
    durationSeconds: row.duration_seconds,
    sunoTrackId: text(facts["suno_track_id"]),
    secondTrack: readSecondTrack(facts),
    loudnessLufs: number(facts["loudness_lufs"]),
    truePeakDbtp: number(facts["true_peak_dbtp"]),
    soundEndSeconds: number(facts["sound_end_seconds"]),
  };
}

/** Failed for a passing reason: it is tried again by itself, and not lost yet. */
function isTriedAgain({ status, metadata }: SegmentRow): boolean {
  const failure = metadata["failure"];
  if (status !== "failed" || typeof failure !== "object" || failure === null) return false;
  return "again" in failure && failure.again === true;
}

function readSecondTrack(facts: Record<string, unknown>): SecondTrack | null {
  const second = {
    id: text(facts["suno_second_track_id"]),
    streamUrl: text(facts["suno_second_stream_url"]),
    downloadUrl: text(facts["suno_second_download_url"]),
  };
  return second.streamUrl === null && second.downloadUrl === null ? null : second;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
