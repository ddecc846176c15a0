/** The same place of the same music on another deck: a final for a preview, a fresh address. */

import { finalsOf, isPreviewOf, soundEndOf } from "../planner/sources";
import type { Swap } from "../planner/state";
import type { Segment } from "../run";
import { dispatchStarted, type EngineContext, releaseUnlessPlaying } from "./engine-context";
import { levelFor, needsLimiter } from "./loudness";
import { positionOf, type Voice } from "./mixer";
import type { OpenedDeck, OpenRequest } from "./source-loader";

/** Tells `sounded`, or `kept` where what sounds goes on sounding. */
export async function swapFor(
  context: EngineContext,
  { why, carried }: Swap,
  segment: Segment,
  signal: AbortSignal,
): Promise<void> {
  const { preloader, mixer, settings, dispatch } = context;
  const voice = mixer.sounding;
  const isFinal = why === "final";
  const suits = voice !== null && (!isFinal || isPreviewOf(voice.source, segment));
  if (!suits) return dispatch({ event: "kept", never: true });
  mixer.unduck(settings.againFadeSeconds);
  const at = () => context.aligner.ahead(voice.deck);
  const sources = isFinal ? finalsOf(segment) : [voice.source];
  const request: OpenRequest = { sources, from: "place", at, signAnew: !isFinal };
  const opened = await preloader.open(request, signal);
  if (signal.aborted) return opened?.release();
  if (!opened) return dispatch({ event: "kept", never: false });
  releaseUnlessPlaying(context, opened, signal);
  const limited = needsLimiter(segment, settings);
  // Before they are aligned: a limiter is heard a little later.
  opened.deck.limit(limited);
  const end = soundEndOf(opened.source, segment) ?? opened.deck.duration;
  const never = end !== null && end < at() + settings.swapSecondsMax;
  const aligned = !never && (await align(context, voice, opened, signal));
  if (signal.aborted) return;
  if (aligned) return replace(context, voice, segment, { ...opened, limited }, carried);
  opened.release();
  dispatch({ event: "kept", never });
}

/** What the follower cannot do does not concern the leader: it plays on. */
function align(
  { aligner }: EngineContext,
  voice: Voice,
  opened: OpenedDeck,
  signal: AbortSignal,
): Promise<boolean> {
  return aligner.align(voice.deck, opened.deck, signal).catch(() => false);
}

function replace(
  context: EngineContext,
  before: Voice,
  segment: Segment,
  opened: OpenedDeck & Pick<Voice, "limited">,
  carried: number,
): void {
  const { mixer, settings, dispatch } = context;
  const leftAtSeconds = positionOf(before);
  // As loud as before; what it was measured at comes too slowly to be noticed.
  const voice = { ...before, ...opened, soundEndSeconds: soundEndOf(opened.source, segment) };
  mixer.enter(voice, settings.swapSeconds, "linear", () => {
    mixer.slide(levelFor(segment, voice.limited, settings));
    dispatch({ event: "settled" });
  });
  dispatchStarted(context, voice, carried, leftAtSeconds);
}
