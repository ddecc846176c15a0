/** A piece comes in: out of silence, in its turn, because it was wished, or after a loss. */

import type { Clock } from "./clock";
import type { FadeShape } from "./curves";
import { type Deck, TapNeeded } from "./deck";
import { levelFor, needsLimiter } from "./loudness";
import type { Voice } from "./mixer";
import type { Opened, Wanted } from "./opener";
import { announce, type Orchestra, ownUntilHeard } from "./orchestra";
import { placeOf } from "./reading";
import type { Segment } from "./run";
import type { Settings } from "./settings";
import { carryingSourcesOf, soundEndOf, sourcesOf } from "./sources";
import type { Play } from "./state";
import { pause, type Turn, within } from "./turn";

const LOOK_SECONDS = 0.02;
/** A file that begins further from the place than this is the piece once more. */
const SAME_PLACE_SECONDS = 1;

/** Tells `sounded`, or `unplayable`; rejects with TapNeeded. */
export async function bringIn(
  orchestra: Orchestra,
  command: Play,
  segment: Segment,
  turn: Turn,
): Promise<void> {
  const { mixer, settings, tell } = orchestra;
  if (command.how === "jump") mixer.hurry(settings.pauseRampSeconds);
  mixer.undip(settings.againFadeSeconds);
  const wanted = wantedFor(command, segment, mixer.sounding);
  const ready = await makeReady(orchestra, wanted, turn);
  if (turn.over) return;
  if (!ready) return tell({ event: "unplayable" });
  enter(orchestra, command, segment, wanted, ready);
}

/** The piece from its beginning, or from where it was first carried on. */
export function fromBeginning(segment: Segment, carried: number): Wanted {
  const sources = carried > 0 ? carryingSourcesOf(segment, carried) : sourcesOf(segment);
  return { sources, from: "beginning", at: () => 0 };
}

function wantedFor(command: Play, segment: Segment, sounding: Voice | null): Wanted {
  const { how, carried, pieceSeconds } = command;
  const wanted = fromBeginning(segment, carried);
  if (how === "follow" || how === "jump") return wanted;
  const offset = how === "rescue" && sounding ? sounding.offsetSeconds : 0;
  const at = () => Math.max(pieceSeconds - offset, 0);
  return { ...wanted, from: "place", at, signAnew: how === "rescue" };
}

interface Ready {
  readonly opened: Opened;
  /** Where it was opened, in the file. */
  readonly position: number;
}

/** Open, playing silently, and with room to come in. */
async function makeReady(orchestra: Orchestra, wanted: Wanted, turn: Turn): Promise<Ready | null> {
  const { mixer, preparer } = orchestra;
  // What was prepared may have been lost meanwhile: then it is opened again.
  let stands = false;
  for (const signAnew of [wanted.signAnew ?? false, true]) {
    const opened = await preparer.open({ ...wanted, signAnew }, turn);
    if (!opened) return null;
    ownUntilHeard(orchestra, opened, turn);
    const { position } = opened.deck;
    await mixer.room();
    if (turn.over) return null;
    const began = await begins(orchestra, opened);
    if (began === "moves") return { opened, position };
    stands = began === "stands";
  }
  if (stands && !turn.over) orchestra.tell({ event: "stuck", what: "start" });
  return null;
}

type Beginning = "moves" | "stands" | "lost";

async function begins({ clock, settings }: Orchestra, opened: Opened): Promise<Beginning> {
  try {
    await within(clock, settings.loadSecondsMax, opened.deck.play());
  } catch (error) {
    opened.giveBack();
    if (error instanceof TapNeeded) throw error;
  }
  const beginning = await watchBeginning(opened.deck, clock, settings);
  if (beginning !== "moves") opened.giveBack();
  return beginning;
}

/** A file may be lost while it begins, or stand still without a word, in WebKit for one. */
async function watchBeginning(deck: Deck, clock: Clock, settings: Settings): Promise<Beginning> {
  const from = deck.position;
  const latest = clock.now() + settings.standstillSeconds;
  while (deck.playing && clock.now() < latest) {
    if (deck.position !== from) return "moves";
    await pause(clock, LOOK_SECONDS);
  }
  return deck.playing ? "stands" : "lost";
}

function enter(
  orchestra: Orchestra,
  command: Play,
  segment: Segment,
  wanted: Wanted,
  { opened, position }: Ready,
): void {
  const { mixer, settings, tell } = orchestra;
  const before = mixer.sounding;
  const leftAtSeconds = before ? placeOf(before) : command.pieceSeconds;
  const carriesOn = command.how === "follow" && command.carried > 0;
  const offsetSeconds = carriesOn
    ? leftAtSeconds - opened.deck.position
    : command.pieceSeconds - position;
  const limited = needsLimiter(segment, settings);
  opened.deck.limit(limited);
  const level = levelFor(segment, limited, settings);
  const soundEndSeconds = soundEndOf(opened.source, segment);
  const place = { segmentIndex: command.index, offsetSeconds, soundEndSeconds };
  const voice = { ...opened, ...place, level, limited };
  const [seconds, shape] = crossing(command, before, settings);
  mixer.enter(voice, seconds, shape, () => tell({ event: "settled" }));
  const again = command.how === "rescue" && position + SAME_PLACE_SECONDS < wanted.at();
  announce(orchestra, voice, command.carried + (again ? 1 : 0), leftAtSeconds);
}

function crossing({ how }: Play, before: Voice | null, settings: Settings): [number, FadeShape] {
  if (how === "first") return [settings.firstFadeSeconds, "smooth"];
  const sounds = how === "follow" && before?.deck.playing;
  return [sounds ? settings.crossfadeSeconds : settings.againFadeSeconds, "equal-power"];
}
