/** The same place of the same music on another deck: a final for a preview, a fresh address. */

import { levelFor, needsLimiter } from "./loudness";
import type { Voice } from "./mixer";
import type { Opened, Wanted } from "./opener";
import { announce, type Orchestra, ownUntilHeard } from "./orchestra";
import { placeOf } from "./reading";
import type { Segment } from "./run";
import { finalsOf, isPreviewOf, soundEndOf } from "./sources";
import type { Swap } from "./state";
import type { Turn } from "./turn";

/** Tells `sounded`, or `kept` where what sounds goes on sounding. */
export async function swapFor(
  orchestra: Orchestra,
  { why, carried }: Swap,
  segment: Segment,
  turn: Turn,
): Promise<void> {
  const { preparer, mixer, settings, tell } = orchestra;
  const voice = mixer.sounding;
  const isFinal = why === "final";
  const suits = voice !== null && (!isFinal || isPreviewOf(voice.source, segment));
  if (!suits) return tell({ event: "kept", never: true });
  mixer.undip(settings.againFadeSeconds);
  const at = () => orchestra.aligner.ahead(voice.deck);
  const sources = isFinal ? finalsOf(segment) : [voice.source];
  const wanted: Wanted = { sources, from: "place", at, signAnew: !isFinal };
  const opened = await preparer.open(wanted, turn);
  if (turn.over) return opened?.giveBack();
  if (!opened) return tell({ event: "kept", never: false });
  ownUntilHeard(orchestra, opened, turn);
  const limited = needsLimiter(segment, settings);
  // Before they are aligned: a limiter is heard a little later.
  opened.deck.limit(limited);
  const end = soundEndOf(opened.source, segment) ?? opened.deck.duration;
  const never = end !== null && end < at() + settings.swapSecondsMax;
  const aligned = !never && (await align(orchestra, voice, opened, turn));
  if (turn.over) return;
  if (aligned) return replace(orchestra, voice, segment, { ...opened, limited }, carried);
  opened.giveBack();
  tell({ event: "kept", never });
}

/** What the follower cannot do does not concern the leader: it plays on. */
function align({ aligner }: Orchestra, voice: Voice, opened: Opened, turn: Turn): Promise<boolean> {
  return aligner.align(voice.deck, opened.deck, turn).catch(() => false);
}

function replace(
  orchestra: Orchestra,
  before: Voice,
  segment: Segment,
  opened: Opened & Pick<Voice, "limited">,
  carried: number,
): void {
  const { mixer, settings, tell } = orchestra;
  const leftAtSeconds = placeOf(before);
  // As loud as before; what it was measured at comes too slowly to be noticed.
  const voice = { ...before, ...opened, soundEndSeconds: soundEndOf(opened.source, segment) };
  mixer.enter(voice, settings.swapSeconds, "linear", () => {
    mixer.slide(levelFor(segment, voice.limited, settings));
    tell({ event: "settled" });
  });
  announce(orchestra, voice, carried, leftAtSeconds);
}
