/** Carries out `play`: starts a piece out of silence, as the next one, after a jump, or after an error. */

import type { Clock } from "../clock";
import { type Deck, GestureNeeded } from "../deck";
import { carryingSourcesOf, soundEndOf, sourcesOf } from "../planner/sources";
import type { Play } from "../planner/state";
import type { Segment } from "../run";
import type { Settings } from "../settings";
import type { FadeShape } from "./curves";
import { dispatchStarted, type EngineContext, releaseUnlessPlaying } from "./engine-context";
import { levelFor, needsLimiter } from "./loudness";
import { positionOf, type Voice } from "./mixer";
import type { OpenedDeck, OpenRequest } from "./source-loader";
import { pause, within } from "./timing";

const LOOK_SECONDS = 0.02;
/** A file that begins further from the place than this is the piece once more. */
const SAME_PLACE_SECONDS = 1;

/** Tells `sounded`, or `unplayable`; rejects with TapNeeded. */
export async function startPiece(
  context: EngineContext,
  command: Play,
  segment: Segment,
  signal: AbortSignal,
): Promise<void> {
  const { mixer, settings, dispatch } = context;
  if (command.how === "jump") mixer.hurry(settings.pauseRampSeconds);
  mixer.unduck(settings.againFadeSeconds);
  const request = requestFor(command, segment, mixer.sounding);
  const ready = await openAndPlay(context, request, signal);
  if (signal.aborted) return;
  if (!ready) return dispatch({ event: "unplayable" });
  enter(context, command, segment, request, ready);
}

/** The piece from its beginning, or from where it was first carried on. */
export function fromBeginning(segment: Segment, carried: number): OpenRequest {
  const sources = carried > 0 ? carryingSourcesOf(segment, carried) : sourcesOf(segment);
  return { sources, from: "beginning", at: () => 0 };
}

function requestFor(command: Play, segment: Segment, sounding: Voice | null): OpenRequest {
  const { how, carried, pieceSeconds } = command;
  const request = fromBeginning(segment, carried);
  if (how === "follow" || how === "jump") return request;
  const offset = how === "rescue" && sounding ? sounding.offsetSeconds : 0;
  const at = () => Math.max(pieceSeconds - offset, 0);
  return { ...request, from: "place", at, signAnew: how === "rescue" };
}

interface Ready {
  readonly opened: OpenedDeck;
  /** Where it was opened, in the file. */
  readonly position: number;
}

/** Open, playing silently, and with room to come in. */
async function openAndPlay(
  context: EngineContext,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<Ready | null> {
  const { mixer, preloader } = context;
  // What was preloaded may have been lost meanwhile: then it is opened again.
  let stands = false;
  for (const signAnew of [request.signAnew ?? false, true]) {
    const opened = await preloader.open({ ...request, signAnew }, signal);
    if (!opened) return null;
    releaseUnlessPlaying(context, opened, signal);
    const { position } = opened.deck;
    await mixer.untilFree();
    if (signal.aborted) return null;
    const began = await startDeck(context, opened);
    if (began === "moves") return { opened, position };
    stands = began === "stands";
  }
  if (stands && !signal.aborted) context.dispatch({ event: "stuck", what: "start" });
  return null;
}

type Beginning = "moves" | "stands" | "lost";

async function startDeck(
  { clock, settings }: EngineContext,
  opened: OpenedDeck,
): Promise<Beginning> {
  try {
    await within(clock, settings.loadSecondsMax, opened.deck.play());
  } catch (error) {
    opened.release();
    if (error instanceof GestureNeeded) throw error;
  }
  const beginning = await waitUntilMoving(opened.deck, clock, settings);
  if (beginning !== "moves") opened.release();
  return beginning;
}

/** A file may be lost while it begins, or stand still without a word, in WebKit for one. */
async function waitUntilMoving(deck: Deck, clock: Clock, settings: Settings): Promise<Beginning> {
  const from = deck.position;
  const latest = clock.now() + settings.standstillSeconds;
  while (deck.playing && clock.now() < latest) {
    if (deck.position !== from) return "moves";
    await pause(clock, LOOK_SECONDS);
  }
  return deck.playing ? "stands" : "lost";
}

function enter(
  context: EngineContext,
  command: Play,
  segment: Segment,
  request: OpenRequest,
  { opened, position }: Ready,
): void {
  const { mixer, settings, dispatch } = context;
  const before = mixer.sounding;
  const leftAtSeconds = before ? positionOf(before) : command.pieceSeconds;
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
  const [seconds, shape] = fadeFor(command, before, settings);
  mixer.enter(voice, seconds, shape, () => dispatch({ event: "settled" }));
  const again = command.how === "rescue" && position + SAME_PLACE_SECONDS < request.at();
  dispatchStarted(context, voice, command.carried + (again ? 1 : 0), leftAtSeconds);
}

function fadeFor({ how }: Play, before: Voice | null, settings: Settings): [number, FadeShape] {
  if (how === "first") return [settings.firstFadeSeconds, "smooth"];
  const sounds = how === "follow" && before?.deck.playing;
  return [sounds ? settings.crossfadeSeconds : settings.againFadeSeconds, "equal-power"];
}
