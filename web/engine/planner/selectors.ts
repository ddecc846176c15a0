/** Selects the snapshot from the state of a journey. Pure. */

import type { Reach } from "../playback/mixer";
import type { Place, Range, Snapshot } from "../snapshot";
import { isReserve } from "./reserve";
import { nextPlayable, ownNext, plannedTotal, slotSeconds, totalSeconds } from "./schedule";
import { currentSegment, isIn, type Journey, positionIn } from "./state";

/** Values that are not part of the state of a journey. */
export interface SnapshotInputs {
  /** Read from the deck now; null while none sounds. */
  readonly pieceSeconds: number | null;
  readonly reach: Reach | null;
  readonly volume: number;
  readonly muted: boolean;
  readonly bed: Snapshot["bed"];
}

export function selectSnapshot(journey: Journey, around: SnapshotInputs): Snapshot {
  const { name, run, startSeconds } = journey;
  const inside = isIn(journey, "playing", "paused", "stalled");
  const pieceSeconds = around.pieceSeconds ?? journey.pieceSeconds;
  const journeySeconds = startSeconds + pieceSeconds;
  const reach = journey.loaded && inside ? around.reach : null;
  return {
    state: name,
    run,
    segment: isReserve(journey.index) ? null : (currentSegment(journey) ?? null),
    source: sourceOf(journey),
    ownPlayable: inside && canOwn(journey),
    kind: journey.kind,
    carriedOn: journey.carried > 0,
    closing: journey.closing,
    journeySeconds,
    totalSeconds: totalOf(journey),
    pieceSeconds,
    bufferedSeconds: reach?.buffered?.toSeconds ?? pieceSeconds,
    seekable: reach && seekableIn(journey, reach.seekable),
    volume: around.volume,
    muted: around.muted,
    bed: around.bed,
    needsGesture: journey.gestureReason !== null,
    gestureReason: journey.gestureReason,
    fault: journey.fault,
    interrupted: journey.interrupted,
    waitingSince: journey.waitingSince,
    network: journey.online ? "online" : "offline",
    canPrevious: inside && journey.index !== null && !isReserve(journey.index),
    canNext: inside && canNext(journey),
    place: inside ? placeIn(journey, pieceSeconds) : null,
  };
}

/** In journey time: what the file allows, and never past the end of the piece. */
function seekableIn(journey: Journey, { fromSeconds, toSeconds }: Range): Range {
  const { settings, startSeconds } = journey;
  const here = positionIn(journey);
  const slot = here ? slotSeconds(here, settings) : toSeconds;
  const fade = Math.max(settings.closingFadeSeconds, 2 * settings.crossfadeSeconds);
  const last = Math.max(Math.min(toSeconds, slot - fade), fromSeconds);
  return { fromSeconds: startSeconds + fromSeconds, toSeconds: startSeconds + last };
}

function totalOf(journey: Journey): number {
  const here = positionIn(journey);
  if (here) return totalSeconds(here, journey.settings);
  return journey.run ? plannedTotal(journey.run, journey.settings) : 0;
}

function sourceOf({ index }: Journey): Snapshot["source"] {
  if (index === null) return null;
  return isReserve(index) ? "reserve" : "run";
}

function canOwn(journey: Journey): boolean {
  const here = isReserve(journey.index) && positionIn(journey);
  return here ? ownNext(here, journey.settings) !== undefined : false;
}

function canNext(journey: Journey): boolean {
  const { run, index } = journey;
  if (isReserve(index)) return canOwn(journey);
  return run !== null && index !== null && nextPlayable(run, index) !== undefined;
}

function placeIn(journey: Journey, pieceSeconds: number): Place | null {
  const { run, index, startSeconds, reached } = journey;
  if (!run || index === null) return null;
  const journeySeconds = startSeconds + pieceSeconds;
  const here = { runId: run.id, journeySeconds };
  if (!isReserve(index)) return { ...here, segmentIndex: index, pieceSeconds };
  // Under the reserve: before the next piece of the run.
  const last = Math.max(run.segments.length - 1, 0);
  return { ...here, segmentIndex: Math.min(reached + 1, last), pieceSeconds: 0 };
}
