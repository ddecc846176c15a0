/** The schedule of a journey: how long each piece plays, and what follows it. Pure; all in seconds. */

import type { Run, Segment } from "../run";
import type { Settings } from "../settings";
import { isReserve, nextInReserve } from "./reserve";
import { isPlayable } from "./sources";

/** Where the listener is, and what is known of the file that sounds. */
export interface JourneyPosition {
  readonly run: Run;
  readonly reserve: readonly Segment[];
  readonly segment: Segment;
  /** The segment of the run that was heard last; -1 before the first. */
  readonly reached: number;
  /** Journey time at the beginning of the segment. */
  readonly startSeconds: number;
  readonly pieceSeconds: number;
  /** Piece time at which the file ends; null while unknown. */
  readonly fileEndSeconds: number | null;
}

/** What comes after what sounds now, and the piece time at which it begins. */
export type NextStep =
  | { readonly what: "next"; readonly index: number; readonly at: number }
  | { readonly what: "carry-on"; readonly at: number }
  | { readonly what: "close"; readonly at: number; readonly seconds: number };

/** The earliest later segment that can be heard: failed ones are skipped. */
export function nextPlayable(run: Run, after: number): Segment | undefined {
  return run.segments.find((segment) => segment.index > after && isPlayable(segment));
}

export function previousPlayable(run: Run, before: number): Segment | undefined {
  return run.segments.filter((segment) => segment.index < before && isPlayable(segment)).at(-1);
}

/** Whether a later segment may still become music. */
function isPending(run: Run, after: number): boolean {
  if (run.status !== "creating") return false;
  return run.segments.some(
    (segment) => segment.index > after && segment.status !== "failed" && !isPlayable(segment),
  );
}

/** Nothing can be heard, and nothing will be. */
export function isNeverPlayable(run: Run): boolean {
  return nextPlayable(run, -1) === undefined && !isPending(run, -1);
}

/** Journey time at which a segment begins when everything goes as planned. */
export function plannedStart(run: Run, index: number, settings: Settings): number {
  return run.segments
    .filter((segment) => segment.index < index && segment.status !== "failed")
    .reduce((start, segment) => start + segment.plannedSeconds - settings.crossfadeSeconds, 0);
}

/** How long the segment in hand is to be heard, in piece time. */
export function slotSeconds(here: JourneyPosition, settings: Settings): number {
  const { run, segment, startSeconds } = here;
  const most = settings.journeySecondsMax - startSeconds;
  if (isReserve(segment.index)) return Math.min(endOfReserve(here), most);
  if (worthyNext(here, settings)) return Math.min(segment.plannedSeconds, most);
  if (nextPlayable(run, segment.index) === undefined && isPending(run, segment.index)) return most;
  const least = settings.journeySecondsMin - startSeconds;
  return Math.min(Math.max(segment.plannedSeconds, least), most);
}

/** What the whole journey will come to, as known now. */
export function totalSeconds(here: JourneyPosition, settings: Settings): number {
  const { run, segment, reached, startSeconds, pieceSeconds } = here;
  const after = isReserve(segment.index) ? reached : segment.index;
  const later = run.segments
    .filter((other) => other.index > after && other.status !== "failed")
    .map((other) => other.plannedSeconds - settings.crossfadeSeconds);
  const planned =
    isReserve(segment.index) && later.length > 0
      ? turnSeconds(here, settings)
      : segment.plannedSeconds;
  const piece = Math.max(planned, pieceSeconds);
  return bounded(
    later.reduce((sum, seconds) => sum + seconds, startSeconds + piece),
    settings,
  );
}

/** The same before anything was heard. */
export function plannedTotal(run: Run, settings: Settings): number {
  const all = run.segments.length;
  if (all === 0) return settings.journeySecondsMin;
  return bounded(plannedStart(run, Infinity, settings) + settings.crossfadeSeconds, settings);
}

export function nextStep(here: JourneyPosition, settings: Settings): NextStep {
  if (isReserve(here.segment.index)) return afterReserve(here, settings);
  const slot = slotSeconds(here, settings);
  const next = worthyNext(here, settings);
  const fade = next ? settings.crossfadeSeconds : settings.closingFadeSeconds;
  const last: NextStep = next
    ? { what: "next", index: next.index, at: slot - fade }
    : { what: "close", at: slot - fade, seconds: closingSeconds(here, slot, settings) };
  return beforeFileEnds(here, last, slot, settings);
}

/** The listener's own as soon as it may; else one more of the reserve, until 18 minutes are over. */
function afterReserve(here: JourneyPosition, settings: Settings): NextStep {
  const { reserve, segment, startSeconds } = here;
  const own = ownNext(here, settings);
  if (own) return { what: "next", index: own.index, at: turnSeconds(here, settings) };
  const slot = slotSeconds(here, settings);
  const next = nextInReserve(reserve, segment.index);
  if (next && startSeconds + slot < settings.journeySecondsMin) {
    const at = Math.max(slot - settings.crossfadeSeconds, 0);
    return { what: "next", index: next.index, at };
  }
  const seconds = closingSeconds(here, slot, settings);
  return { what: "close", at: slot - settings.closingFadeSeconds, seconds };
}

/** The next of the run after a piece of the reserve, unless the end of the journey would cut it short. */
export function ownNext(here: JourneyPosition, settings: Settings): Segment | undefined {
  const { run, reached, startSeconds, pieceSeconds } = here;
  const begins = startSeconds + Math.max(pieceSeconds, turnSeconds(here, settings));
  const worthy = settings.journeySecondsMax - begins >= settings.pieceSecondsMin;
  return worthy ? nextPlayable(run, reached) : undefined;
}

/** Piece time from which a piece of the reserve gives way. */
function turnSeconds(here: JourneyPosition, settings: Settings): number {
  const last = endOfReserve(here) - settings.crossfadeSeconds;
  return Math.max(Math.min(settings.reserveSecondsMin, last), 0);
}

function endOfReserve({ segment, fileEndSeconds }: JourneyPosition): number {
  return fileEndSeconds ?? segment.plannedSeconds;
}

/** A file that ends before its slot is carried on, or let go a little early. */
function beforeFileEnds(
  here: JourneyPosition,
  last: NextStep,
  slot: number,
  settings: Settings,
): NextStep {
  const { fileEndSeconds: end, pieceSeconds, startSeconds } = here;
  if (end === null || end >= slot) return last;
  const early: NextStep = { ...last, at: Math.min(last.at, end - (slot - last.at)) };
  if (slot - end <= settings.shortSecondsMax) return early;
  const at = Math.min(end - settings.crossfadeSeconds, last.at - settings.carriedSecondsMin);
  const mayEndEarly = last.what === "next" || startSeconds + end >= settings.journeySecondsMin;
  // After a seek towards the end, for one, it is too late to carry it on for a while.
  const missed = pieceSeconds > at + 1 && last.at - pieceSeconds < settings.carriedSecondsMin;
  if (missed && mayEndEarly) return early;
  return { what: "carry-on", at };
}

/** Eight seconds, or what is left of them after a pause; overdue, as many as the journey has. */
function closingSeconds(here: JourneyPosition, slot: number, settings: Settings): number {
  const most = settings.journeySecondsMax - here.startSeconds;
  const left = (here.pieceSeconds < slot ? slot : most) - here.pieceSeconds;
  return Math.min(Math.max(left, settings.pauseRampSeconds), settings.closingFadeSeconds);
}

/** A late piece that the end of the journey would cut short at once is not begun. */
function worthyNext(here: JourneyPosition, settings: Settings): Segment | undefined {
  const next = nextPlayable(here.run, here.segment.index);
  const begins = Math.max(
    here.pieceSeconds,
    here.segment.plannedSeconds - settings.crossfadeSeconds,
  );
  const left = settings.journeySecondsMax - here.startSeconds - begins;
  return left >= settings.pieceSecondsMin ? next : undefined;
}

function bounded(seconds: number, settings: Settings): number {
  return Math.min(Math.max(seconds, settings.journeySecondsMin), settings.journeySecondsMax);
}
