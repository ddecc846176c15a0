/** A journey as the screens see it: its phase, and what they show of it. */

import { isPlayable, type Snapshot, type StateName } from "../../engine";
import type { Brief } from "../../supabase/runs";
import type { ServiceErrorKind } from "../../supabase/service-error";
import type { Ratings } from "./ratings";

/** The step of the page itself, before and around the engine. */
export type PageStep =
  | "none"
  /** Kept over a reload: one button. */
  | "kept"
  | "elsewhere"
  | "opening"
  /** Anonymous listeners are not allowed here: the form. */
  | "form"
  | "writing"
  /** The engine has the run. */
  | "following"
  | "error"
  | "stopped"
  | "finished";

export type Phase =
  | Exclude<PageStep, "following">
  | "composing"
  | "ready"
  | "playing"
  | "closing"
  | "paused"
  | "stalled"
  | "failed";

const OF_STATE: Readonly<Record<StateName, Phase>> = {
  idle: "composing",
  waiting: "composing",
  playing: "playing",
  paused: "paused",
  stalled: "stalled",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
};

/** What may prevent more music. */
export interface PhaseContext {
  /** Nothing that the page tries by itself mends it. */
  readonly failed: boolean;
  /** Nothing but the bed has been heard for longer than usual. */
  readonly slow: boolean;
}

/** Steps in which music may sound: before the run is known it is a piece of the reserve. */
const SERVED: ReadonlySet<PageStep> = new Set(["opening", "writing", "following", "error"]);
export const isServed = (step: PageStep) => SERVED.has(step);

export function phaseOf(step: PageStep, sound: Snapshot, { failed, slow }: PhaseContext): Phase {
  if (step !== "following" && !(isServed(step) && isReserveInHand(sound))) return step;
  // An error is no reason to leave what can still be heard.
  if (failed && (hasNoMusic(sound) || (sound.state === "stalled" && slow))) return "error";
  if (sound.state === "playing" && sound.closing) return "closing";
  // Resumed in the middle: the music comes back, it does not begin.
  if (sound.state === "waiting" && sound.journeySeconds > 0) return "stalled";
  if (sound.state === "waiting" && firstIsThere(sound)) return "ready";
  return OF_STATE[sound.state];
}

/** Music is being made; nothing of it sounds yet. */
const WAITING: ReadonlySet<Phase> = new Set(["opening", "writing", "composing", "ready"]);
const PLAYING: ReadonlySet<Phase> = new Set(["playing", "closing", "paused", "stalled"]);
const NEEDING_ACTION: ReadonlySet<Phase> = new Set(["form", "error", "failed"]);
/** Nothing sounds here, and nothing is about to. */
const AT_REST: ReadonlySet<Phase> = new Set(["none", "kept", "elsewhere", "stopped", "finished"]);

export const isWaiting = (phase: Phase) => WAITING.has(phase);
export const isPlaying = (phase: Phase) => PLAYING.has(phase);
/** Nothing happens before the listener does something. */
export const needsAction = (phase: Phase) => NEEDING_ACTION.has(phase);
/** A journey is under way: Stop is shown, and Escape stops it. */
export const isUnderWay = (phase: Phase) => !AT_REST.has(phase);

function isReserveInHand({ source, state }: Snapshot): boolean {
  return source === "reserve" && IN_HAND.has(state);
}

const IN_HAND: ReadonlySet<StateName> = new Set(["waiting", "playing", "paused", "stalled"]);

/** A piece of the reserve sounds, and one's own is not to be expected in this journey. */
export function isAccompanied(sound: Snapshot, failed: boolean): boolean {
  if (sound.ownPlayable || !isReserveInHand(sound)) return false;
  return failed || sound.run?.status === "failed" || sound.run?.retryAt !== undefined;
}

/** One's own music is being made, in silence but for the bed or under a piece of the reserve. */
export function awaitsOwn({ phase, sound, accompanied }: JourneyView): boolean {
  return isWaiting(phase) || (isPlaying(phase) && sound.source === "reserve" && !accompanied);
}

function firstIsThere({ run }: Snapshot): boolean {
  const first = run?.segments[0];
  return first?.status === "first" || first?.status === "complete";
}

/** Its run is known, and nothing of it is playable. */
function hasNoMusic({ state, run, source }: Snapshot): boolean {
  return (
    source !== "reserve" && state === "waiting" && run !== null && !run.segments.some(isPlayable)
  );
}

/** What went wrong, and until when, if that is known. */
export interface ShownError {
  readonly kind: ServiceErrorKind;
  readonly until: Date | null;
}

/** All that the screens show of a journey. */
export interface JourneyView {
  readonly phase: Phase;
  readonly presetKey: string;
  readonly brief: Brief | null;
  readonly sound: Snapshot;
  /** It takes longer than usual. */
  readonly slow: boolean;
  /** An error that is being retried. */
  readonly retrying: ServiceErrorKind | null;
  /** An error that waits for the listener. */
  readonly error: ShownError | null;
  readonly ratings: Ratings;
  readonly ratingFailed: boolean;
  /** There is a run for a rating to be written to. */
  readonly rateable: boolean;
  /** Where it stopped before a reload, seconds of journey. */
  readonly keptAt: number | null;
  /** Stopped, and there is something to go on with. */
  readonly canTakeBack: boolean;
  /** The reserve sounds instead of one's own, which is not to be expected any more. */
  readonly accompanied: boolean;
  /** A piece that this browser keeps is in hand: it needs no network. */
  readonly keptOnly: boolean;
}
