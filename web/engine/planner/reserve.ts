/** The pieces of the reserve as segments beside those of the run (docs/specification.md#reserve). Pure. */

import type { ReservePiece } from "../reserve";
import type { Run, Segment } from "../run";

/** Before the run is known: nothing of it is there, and all of it may still come. */
export const NO_RUN: Run = { id: "", status: "creating", segments: [] };

/** Segments of the reserve count down from -1, those of a run up from 0. */
export function isReserve(index: number | null): boolean {
  return index !== null && index < 0;
}

/** Known pieces keep their index and take the new address; those not known yet come after them. */
export function withPieces(
  known: readonly Segment[],
  pieces: readonly ReservePiece[],
): readonly Segment[] {
  const fresh = new Map(pieces.map((piece) => [piece.id, piece]));
  const kept = known.map((segment) => {
    const piece = fresh.get(segment.id);
    fresh.delete(segment.id);
    return piece ? asSegment(piece, segment.index) : segment;
  });
  const added = [...fresh.values()].map((piece, i) => asSegment(piece, -1 - known.length - i));
  return [...kept, ...added];
}

/** The one after, and after the last the first; never the same again where there is another. */
export function nextInReserve(
  reserve: readonly Segment[],
  index: number | null,
): Segment | undefined {
  const place = reserve.findIndex((segment) => segment.index === index);
  return reserve[(place + 1) % reserve.length];
}

/** Whether this browser keeps the piece: it plays without a network. */
export function isKept({ finalUrl }: Segment): boolean {
  return finalUrl?.startsWith("blob:") ?? false;
}

export function preferKept(reserve: readonly Segment[]): readonly Segment[] {
  const kept = reserve.filter(isKept);
  return kept.length > 0 ? kept : reserve;
}

export function findSegment(
  run: Run | null,
  reserve: readonly Segment[],
  index: number | null,
): Segment | undefined {
  if (isReserve(index)) return reserve.find((segment) => segment.index === index);
  return run?.segments.find((segment) => segment.index === index);
}

function asSegment({ id, url, seconds, loudnessLufs }: ReservePiece, index: number): Segment {
  return {
    id,
    index,
    status: "complete",
    title: null,
    plannedSeconds: seconds,
    previewUrl: null,
    finalUrl: url,
    storagePath: null,
    durationSeconds: seconds,
    sunoTrackId: null,
    secondTrack: null,
    loudnessLufs,
    truePeakDbtp: null,
    soundEndSeconds: null,
  };
}
