/** The sources of a segment, in the order in which they are tried (docs/specification.md#playback). Pure. */

import type { Segment } from "../run";

export type Kind = "preview" | "final";
export type Origin = "storage" | "final_url" | "preview_url" | "second_download" | "second_stream";

export interface Source {
  readonly segmentId: string;
  readonly origin: Origin;
  /** A preview may be a stream of unknown end. */
  readonly kind: Kind;
  /** Null for a stored track: its address has to be signed. */
  readonly url: string | null;
  /** The Suno track behind it: a preview becomes the final of the same track only. */
  readonly trackId: string | null;
}

/** `storage_path` (signed), then `final_url`, then `preview_url`. */
export function sourcesOf(segment: Segment): Source[] {
  const { id: segmentId, sunoTrackId: trackId, storagePath, finalUrl, previewUrl } = segment;
  const sources: Source[] = [];
  if (storagePath) {
    sources.push({ segmentId, origin: "storage", kind: "final", url: null, trackId });
  }
  if (finalUrl) {
    sources.push({ segmentId, origin: "final_url", kind: "final", url: finalUrl, trackId });
  }
  if (previewUrl) {
    sources.push({ segmentId, origin: "preview_url", kind: "preview", url: previewUrl, trackId });
  }
  return sources;
}

/**
 * What carries a segment on: its second track, else itself; each in turn when it has to be
 * carried on more than once.
 */
export function carryingSourcesOf(segment: Segment, times: number): Source[] {
  const second = secondSourcesOf(segment);
  const itself = sourcesOf(segment);
  return times % 2 === 1 ? [...second, ...itself] : [...itself, ...second];
}

function secondSourcesOf({ id: segmentId, secondTrack: second }: Segment): Source[] {
  if (!second) return [];
  const trackId = second.id;
  const sources: Source[] = [];
  if (second.downloadUrl) {
    const url = second.downloadUrl;
    sources.push({ segmentId, origin: "second_download", kind: "final", url, trackId });
  }
  if (second.streamUrl) {
    const url = second.streamUrl;
    sources.push({ segmentId, origin: "second_stream", kind: "preview", url, trackId });
  }
  return sources;
}

/** Whether the final of this segment is the very music that this source plays. */
export function isPreviewOf(source: Source, segment: Segment): boolean {
  return (
    source.kind === "preview" &&
    source.origin === "preview_url" &&
    source.segmentId === segment.id &&
    isSameTrack(source.trackId, segment.sunoTrackId) &&
    finalsOf(segment).length > 0
  );
}

function isSameTrack(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** Where the sound of what a source plays ends, in seconds of its file. */
export function soundEndOf({ origin }: Source, { soundEndSeconds }: Segment): number | null {
  return origin === "storage" || origin === "final_url" ? soundEndSeconds : null;
}

export function finalsOf(segment: Segment): Source[] {
  return sourcesOf(segment).filter((source) => source.kind === "final");
}

/** Whether it makes sense to try: a failed or waiting segment's old addresses are no music. */
export function isPlayable(segment: Segment): boolean {
  return (
    segment.status !== "failed" && segment.status !== "queued" && sourcesOf(segment).length > 0
  );
}
