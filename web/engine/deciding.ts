/** What is to be done, given where the journey is. Pure; asked after every event. */

import { change, hereOf, move, segmentInHand, stay } from "./moving";
import type { Run, Segment } from "./run";
import { type Following, following, isHopeless, nextPlayable } from "./schedule";
import { finalsOf, isPlayable } from "./sources";
import type { Command, How, Journey, Step } from "./state";

/** After so many misses in a row a piece that cannot be rescued is left for the next. */
const MISSES_MAX = 2;

export function decide(state: Journey, at: number): Step {
  if (state.doing || state.closing || !state.run) return stay(state);
  if (state.name === "waiting") return begin(state, state.run, at);
  if (state.name === "playing") return goOn(state, at);
  if (state.name === "stalled") return mend(state, state.run, at);
  return stay(state);
}

function begin(state: Journey, run: Run, at: number): Step {
  if (isHopeless(run)) return move(state, "failed", { waitingSince: null });
  if (at < state.retryAt) return stay(state);
  const inHand = segmentInHand(state);
  const again = inHand && isPlayable(inHand);
  const segment = again ? inHand : firstFrom(state, run, at);
  if (!segment) return stay(state);
  return play(state, segment.index, again ? state.pieceSeconds : 0, "first");
}

/** The earliest that can be heard, from the one in hand on; a shunned one only for want of others. */
function firstFrom(state: Journey, run: Run, at: number): Segment | undefined {
  const from = run.segments.filter(
    (segment) => segment.index >= (state.index ?? 0) && isPlayable(segment),
  );
  return from.find((segment) => !isShunned(state, segment.index, at)) ?? from[0];
}

function goOn(state: Journey, at: number): Step {
  // A resume that was overtaken by another wish is made up for.
  if (!state.sounds) return change(state, { doing: { what: "fade" } }, { do: "resume" });
  const next = whatFollows(state, at);
  if (!next) return stay(state);
  const left = next.at - state.pieceSeconds;
  if (left <= 0) return perform(state, next, at);
  const { swapSecondsMax, prepareSeconds } = state.settings;
  if (wantsSwap(state, at) && left > 2 * swapSecondsMax) return swap(state);
  // A preview will need the other deck for its final; what carries on may not be needed.
  const early = next.what === "next" && !state.previewing;
  return early || left <= prepareSeconds ? stay(state, ...preparing(state, next)) : stay(state);
}

function wantsSwap(state: Journey, at: number): boolean {
  if (at < state.swapAt) return false;
  return state.stale || (state.previewing && hasFinal(state));
}

function hasFinal(state: Journey): boolean {
  const segment = segmentInHand(state);
  return segment !== undefined && finalsOf(segment).length > 0;
}

function swap(state: Journey): Step {
  const why = state.stale ? "stale" : "final";
  const { index, carried } = state;
  const command = { do: "swap", index: index ?? 0, carried, why } as const;
  return change(state, { doing: { what: "swap" } }, command);
}

function mend(state: Journey, run: Run, at: number): Step {
  if (isHopeless(run)) return move(state, "failed", { waitingSince: null }, { do: "release" });
  const { trouble, retryAt, pieceSeconds, settings } = state;
  if (!trouble || at < retryAt) return stay(state);
  // A stream is waited for, unless its final is there.
  const patience = hasFinal(state) && state.previewing ? 0 : settings.stallSecondsMax;
  if (trouble.what === "stalled" && at - trouble.since < patience) return stay(state);
  const next = whatFollows({ ...state, fileEndSeconds: pieceSeconds }, at);
  if (!next) return stay(state);
  if (next.what === "close" && next.at <= pieceSeconds) return perform(state, next, at);
  const other = state.misses >= MISSES_MAX && nextPlayable(run, state.index ?? 0);
  if (other) return play(state, other.index, 0, "follow");
  if (trouble.what === "ended") return perform(state, next, at);
  return play(state, state.index ?? 0, pieceSeconds, "rescue");
}

/** As scheduled; a next piece that could not be opened is passed over for a while. */
function whatFollows(state: Journey, at: number): Following | null {
  const here = hereOf(state);
  if (!here) return null;
  const shunned = state.shunned;
  if (!shunned || at >= shunned.until) return following(here, state.settings);
  const segments = here.run.segments.map((segment) =>
    segment.index === shunned.index && segment.index !== state.index
      ? { ...segment, storagePath: null, finalUrl: null, previewUrl: null }
      : segment,
  );
  return following({ ...here, run: { ...here.run, segments } }, state.settings);
}

function perform(state: Journey, next: Following, at: number): Step {
  if (next.what === "close") {
    return change(state, { closing: true }, { do: "close", seconds: next.seconds });
  }
  if (at < state.retryAt) return stay(state);
  if (next.what === "next") return play(state, next.index, 0, "follow");
  const carried = state.carried + 1;
  return play(state, state.index ?? 0, state.pieceSeconds, "follow", carried);
}

function preparing(state: Journey, next: Following): Command[] {
  if (next.what === "close") return [];
  if (next.what === "next") return [{ do: "prepare", index: next.index, carried: 0 }];
  return [{ do: "prepare", index: state.index ?? 0, carried: state.carried + 1 }];
}

function play(
  state: Journey,
  index: number,
  pieceSeconds: number,
  how: How,
  carried = how === "rescue" ? state.carried : 0,
): Step {
  return change(
    state,
    { doing: { what: "play", index, how } },
    { do: "play", index, carried, pieceSeconds, how },
  );
}

function isShunned({ shunned }: Journey, index: number, at: number): boolean {
  return shunned !== null && shunned.index === index && at < shunned.until;
}
