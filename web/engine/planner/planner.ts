/** What to do next, given the state of the journey. Pure; called after every event. */

import type { Segment } from "../run";
import { PLAYBACK_EVENTS } from "./playback-events";
import { isReserve, nextInReserve, preferKept } from "./reserve";
import { isNeverPlayable, type NextStep, nextPlayable, nextStep } from "./schedule";
import { finalsOf, isPlayable } from "./sources";
import {
  type Command,
  currentSegment,
  type How,
  type Journey,
  type JourneyEvent,
  positionIn,
  type Step,
  transition,
  unchanged,
  update,
} from "./state";
import { USER_ACTIONS } from "./user-actions";

const HANDLERS = { ...USER_ACTIONS, ...PLAYBACK_EVENTS };

/** Returns the state after an event, and the commands to execute. A late event changes nothing. */
export function reduce(state: Journey, event: JourneyEvent): Step {
  const handle = HANDLERS[event.event] as (state: Journey, event: JourneyEvent) => Step;
  const first = handle(state, event);
  const then = plan(first.state, event.at);
  return { state: then.state, commands: [...first.commands, ...then.commands] };
}

/** After so many failed tries in a row a piece that cannot be reopened is left for the next. */
const FAILED_TRIES_MAX = 2;

function plan(state: Journey, at: number): Step {
  if (state.pending || state.closing) return unchanged(state);
  if (state.name === "waiting") return planStart(state, at);
  if (state.name === "playing") return planPlaying(state, at);
  if (state.name === "stalled") return planRecovery(state, at);
  return unchanged(state);
}

function planStart(state: Journey, at: number): Step {
  if (isHopeless(state)) return transition(state, "failed", { waitingSince: null });
  if (at < state.retryAt) return unchanged(state);
  const own = firstOfRun(state, at);
  const avoided = !own || isAvoided(state, own.index, at);
  const segment = (avoided ? firstOfReserve(state, at) : undefined) ?? own ?? state.reserve[0];
  if (!segment) return unchanged(state);
  if (segment.index === state.index) return startAgain(state, segment.index);
  return play(between(state, segment.index), segment.index, 0, "first");
}

/** Where it was; from its beginning when it cannot be opened there, which may be its very end. */
function startAgain(state: Journey, index: number): Step {
  const { startSeconds, pieceSeconds, failedTries, online } = state;
  if (!online || failedTries < FAILED_TRIES_MAX) return play(state, index, pieceSeconds, "first");
  const anew = { ...state, startSeconds: startSeconds + pieceSeconds, pieceSeconds: 0 };
  return play(anew, index, 0, "first");
}

/** The run will never sound, and no piece of the reserve does; it is not the network's fault. */
function isHopeless({ run, reserve, failedTries, online }: Journey): boolean {
  if (!run || !isNeverPlayable(run)) return false;
  return reserve.length === 0 || (online && failedTries >= FAILED_TRIES_MAX * reserve.length);
}

/**
 * From the run to the reserve or back, in silence: journey time goes on from where it was, and the
 * segment of the run that was in hand is still to be heard.
 */
function between(state: Journey, index: number): Journey {
  if (!isReserve(state.index) && !isReserve(index)) return state;
  const startSeconds = state.startSeconds + state.pieceSeconds;
  const inRun = state.index !== null && !isReserve(state.index);
  const reached = inRun ? (state.index ?? 0) - 1 : state.reached;
  return { ...state, index: null, reached, startSeconds, pieceSeconds: 0 };
}

/** The current segment, else the first playable one after it; an avoided one if there is no other. */
function firstOfRun(state: Journey, at: number): Segment | undefined {
  const { run, index, reached } = state;
  const inHand = isReserve(index) ? undefined : currentSegment(state);
  if (inHand && isPlayable(inHand)) return inHand;
  const least = index === null || isReserve(index) ? reached + 1 : index;
  const from = (run?.segments ?? []).filter(
    (segment) => segment.index >= least && isPlayable(segment),
  );
  return from.find((segment) => !isAvoided(state, segment.index, at)) ?? from[0];
}

/** The current piece of the reserve, else the next one that is not avoided. */
function firstOfReserve(state: Journey, at: number): Segment | undefined {
  const inHand = isReserve(state.index) ? currentSegment(state) : undefined;
  if (inHand && !isAvoided(state, inHand.index, at)) return inHand;
  return nextInReserve(reserveToTry(state, at), state.index);
}

/** What is not avoided; once something could not be opened, what needs no network. */
function reserveToTry(state: Journey, at: number): readonly Segment[] {
  const others = state.reserve.filter((segment) => !isAvoided(state, segment.index, at));
  return state.failedTries > 0 ? preferKept(others) : others;
}

function planPlaying(state: Journey, at: number): Step {
  // A resume that another action superseded is repeated.
  if (!state.sounds) return update(state, { pending: { what: "fade" } }, { do: "resume" });
  const next = plannedStep(state, at);
  if (!next) return unchanged(state);
  const left = next.at - state.pieceSeconds;
  if (left <= 0) return perform(state, next, at);
  const { swapSecondsMax, prepareSeconds } = state.settings;
  if (wantsSwap(state, at) && left > 2 * swapSecondsMax) return swap(state);
  // A preview needs the other deck for its final, and a second track may not be needed: both preload late.
  const early = next.what === "next" && !isReserve(next.index) && !state.previewing;
  return early || left <= prepareSeconds
    ? unchanged(state, ...preloadCommands(state, next))
    : unchanged(state);
}

function wantsSwap(state: Journey, at: number): boolean {
  if (at < state.swapAt) return false;
  return state.stale || (state.previewing && hasFinal(state));
}

function hasFinal(state: Journey): boolean {
  const segment = currentSegment(state);
  return segment !== undefined && finalsOf(segment).length > 0;
}

function swap(state: Journey): Step {
  const why = state.stale ? "stale" : "final";
  const { index, carried } = state;
  const command = { do: "swap", index: index ?? 0, carried, why } as const;
  return update(state, { pending: { what: "swap" } }, command);
}

function planRecovery(state: Journey, at: number): Step {
  if (isHopeless(state))
    return transition(state, "failed", { waitingSince: null }, { do: "release" });
  const { failure, retryAt, pieceSeconds, settings } = state;
  if (!failure || at < retryAt) return unchanged(state);
  // A stalled stream is given time to recover, unless its final is available.
  const waitSeconds = hasFinal(state) && state.previewing ? 0 : settings.stallSecondsMax;
  if (failure.what === "stalled" && at - failure.since < waitSeconds) return unchanged(state);
  const next = plannedStep({ ...state, fileEndSeconds: pieceSeconds }, at);
  if (!next) return unchanged(state);
  if (next.what === "close" && next.at <= pieceSeconds) return perform(state, next, at);
  const other = state.failedTries >= FAILED_TRIES_MAX && otherThan(state, at);
  if (other) return play(state, other.index, 0, "follow");
  if (failure.what === "ended" || isOwn(state, next)) return perform(state, next, at);
  return play(state, state.index ?? 0, pieceSeconds, "rescue");
}

/** From the reserve to the run. */
function isOwn({ index }: Journey, next: NextStep): boolean {
  return isReserve(index) && next.what === "next" && !isReserve(next.index);
}

/** Another piece than the current one, which cannot be opened again. */
function otherThan(state: Journey, at: number): Segment | undefined {
  const { run, index, reached } = state;
  const own = run ? nextPlayable(run, isReserve(index) ? reached : (index ?? 0)) : undefined;
  if (own && !isAvoided(state, own.index, at)) return own;
  const others = reserveToTry(state, at).filter((segment) => segment.index !== index);
  return nextInReserve(others, index) ?? own;
}

/** The next step of the schedule; skips a segment that could not be opened a moment ago. */
function plannedStep(state: Journey, at: number): NextStep | null {
  const here = positionIn(state);
  if (!here) return null;
  const avoided = state.avoided;
  if (!avoided || at >= avoided.until) return nextStep(here, state.settings);
  const segments = here.run.segments.map((segment) =>
    segment.index === avoided.index && segment.index !== state.index
      ? { ...segment, storagePath: null, finalUrl: null, previewUrl: null }
      : segment,
  );
  const others = reserveToTry(state, at);
  // The only one may follow itself.
  const reserve = others.length > 0 ? others : here.reserve;
  return nextStep({ ...here, reserve, run: { ...here.run, segments } }, state.settings);
}

function perform(state: Journey, next: NextStep, at: number): Step {
  if (next.what === "close") {
    return update(state, { closing: true }, { do: "close", seconds: next.seconds });
  }
  if (at < state.retryAt) return unchanged(state);
  if (next.what === "next") return play(state, next.index, 0, "follow");
  const carried = state.carried + 1;
  return play(state, state.index ?? 0, state.pieceSeconds, "follow", carried);
}

function preloadCommands(state: Journey, next: NextStep): Command[] {
  if (next.what === "close") return [];
  if (next.what === "next") return [{ do: "preload", index: next.index, carried: 0 }];
  return [{ do: "preload", index: state.index ?? 0, carried: state.carried + 1 }];
}

function play(
  state: Journey,
  index: number,
  pieceSeconds: number,
  how: How,
  carried = how === "rescue" ? state.carried : 0,
): Step {
  return update(
    state,
    { pending: { what: "play", index, how } },
    { do: "play", index, carried, pieceSeconds, how },
  );
}

function isAvoided({ avoided }: Journey, index: number, at: number): boolean {
  return avoided !== null && avoided.index === index && at < avoided.until;
}
