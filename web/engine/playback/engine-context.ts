/** All that a change of what sounds needs. */

import type { Clock } from "../clock";
import type { PlaybackEvent } from "../planner/events";
import type { ReportError } from "../player-error";
import type { Settings } from "../settings";
import type { Turn } from "../turn";
import type { Aligner } from "./aligner";
import { readVoice } from "./deck-reading";
import type { Mixer, Voice } from "./mixer";
import type { Preloader } from "./preloader";
import type { SignedUrls } from "./signed-urls";
import type { OpenedDeck } from "./source-opener";

export interface EngineContext {
  readonly clock: Clock;
  readonly addresses: SignedUrls;
  readonly mixer: Mixer;
  readonly preloader: Preloader;
  readonly aligner: Aligner;
  readonly settings: Settings;
  readonly dispatch: (report: PlaybackEvent) => void;
  readonly report: ReportError;
}

/** A deck that is open but not heard yet is let go when nobody wants it any more. */
export function releaseUnlessPlaying(
  { mixer }: EngineContext,
  opened: OpenedDeck,
  turn: Turn,
): void {
  turn.whenOver(() => mixer.owns(opened.deck) || opened.release());
}

/** Reports a voice that has just come in. */
export function dispatchStarted(
  { addresses, settings, dispatch }: EngineContext,
  voice: Voice,
  carried: number,
  leftAtSeconds: number,
): void {
  const { kind, origin } = voice.source;
  const heard = readVoice(voice, addresses.isStale(voice.validUntil), settings);
  const previewing = origin === "preview_url";
  const index = voice.segmentIndex;
  dispatch({ event: "sounded", index, carried, kind, previewing, leftAtSeconds, ...heard });
}
