/** What the commands of the engine share. */

import type { Clock } from "../clock";
import type { ReportError } from "../errors";
import type { PlaybackEvent } from "../planner/state";
import type { Settings } from "../settings";
import type { Aligner } from "./aligner";
import { type Mixer, readVoice, type Voice } from "./mixer";
import type { OpenedDeck, Preloader, SignedUrls } from "./source-loader";
import { onAbort } from "./timing";

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

/** Releases a deck that is open but not playing yet when its command is aborted. */
export function releaseUnlessPlaying(
  { mixer }: EngineContext,
  opened: OpenedDeck,
  signal: AbortSignal,
): void {
  onAbort(signal, () => mixer.owns(opened.deck) || opened.release());
}

/** Dispatches `sounded` for a voice that has just started. */
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
