/** What can be read from a voice while it sounds, in piece time. */

import type { DeckReading } from "../planner/events";
import type { Settings } from "../settings";
import type { Range } from "../snapshot";
import type { Voice } from "./mixer";

export interface Reach {
  /** What can be heard without waiting. */
  readonly buffered: Range | null;
  /** Where one may seek: what is buffered of a preview, all of a final. */
  readonly seekable: Range;
}

export function positionOf({ deck, offsetSeconds }: Voice): number {
  return offsetSeconds + deck.position;
}

export function readVoice(voice: Voice, isStale: boolean, settings: Settings): DeckReading {
  const { deck, offsetSeconds } = voice;
  const end = endOf(voice);
  const { buffered } = deck;
  // Where the browser does not tell what is there, the place tells: it is watched.
  const ahead = buffered ? buffered.toSeconds - deck.position : Infinity;
  const complete = deck.whole;
  return {
    pieceSeconds: positionOf(voice),
    fileEndSeconds: end === null ? null : offsetSeconds + end,
    sounds: deck.playing,
    bufferLow: !complete && ahead < settings.drySeconds,
    stale: isStale && !complete,
  };
}

export function reachOf(voice: Voice, settings: Settings): Reach {
  const { deck, offsetSeconds, source } = voice;
  const length = source.kind === "final" ? endOf(voice) : null;
  const here = { fromSeconds: deck.position, toSeconds: deck.position };
  const { buffered } = deck;
  const whole = length === null ? (buffered ?? here) : { fromSeconds: 0, toSeconds: length };
  // Seeking to the very end would leave no time to load what follows, or what has not come yet.
  const margin = length === null ? settings.drySeconds : 2 * settings.crossfadeSeconds;
  const last = Math.max(whole.toSeconds - margin, whole.fromSeconds);
  return {
    buffered: buffered && shift(buffered, offsetSeconds),
    seekable: shift({ fromSeconds: whole.fromSeconds, toSeconds: last }, offsetSeconds),
  };
}

/** Where its sound ends. The length of a stream is believed once all of it is there. */
function endOf({ source, deck, soundEndSeconds }: Voice): number | null {
  if (source.kind !== "final" && !deck.whole) return null;
  return deck.duration === null ? null : Math.min(deck.duration, soundEndSeconds ?? Infinity);
}

function shift({ fromSeconds, toSeconds }: Range, by: number): Range {
  return { fromSeconds: fromSeconds + by, toSeconds: toSeconds + by };
}
