/** The state of a journey, the events and commands that change it, and the allowed transitions. */

import type { Standstill } from "../playback/stall-detector";
import type { ReservePiece } from "../reserve";
import type { Run, Segment } from "../run";
import type { Settings } from "../settings";
import type { GestureReason, Place, StateName } from "../snapshot";
import { findSegment, NO_RUN } from "./reserve";
import type { JourneyPosition } from "./schedule";
import type { Kind } from "./sources";

/** Allowed transitions. A new journey starts from a new state, in `idle`. */
export const TRANSITIONS: Readonly<Record<StateName, readonly StateName[]>> = {
  idle: ["waiting", "paused"],
  waiting: ["playing", "paused", "stopped", "failed"],
  playing: ["paused", "stalled", "finished", "stopped"],
  paused: ["playing", "waiting", "stopped"],
  stalled: ["playing", "paused", "finished", "stopped", "failed"],
  failed: ["waiting", "stopped"],
  finished: [],
  stopped: [],
};

/** `first`: out of silence; `follow`: the next in the schedule; `jump`: asked for; `rescue`: after an error. */
export type How = "first" | "follow" | "jump" | "rescue";

export interface Play {
  readonly do: "play";
  readonly index: number;
  /** How many times the segment has been carried on, this one included. */
  readonly carried: number;
  readonly pieceSeconds: number;
  readonly how: How;
}

/** The same place on another deck: the final instead of the preview, or a fresh address. */
export interface Swap {
  readonly do: "swap";
  readonly index: number;
  /** As for `Play`. */
  readonly carried: number;
  readonly why: "final" | "stale";
}

export interface Seek {
  readonly do: "seek";
  readonly pieceSeconds: number;
  readonly paused: boolean;
}

/** Commands that take time; a new one aborts the one under way. */
export type Change = Play | Swap | Seek | { readonly do: "resume" };

/** Commands that end in silence. `release` unloads what is paused. */
export type SilencingCommand =
  | { readonly do: "pause" | "release" | "stop" }
  | { readonly do: "close"; readonly seconds: number };

export type Command =
  | Change
  | SilencingCommand
  /** Resumes an output whose clock stands still. */
  | { readonly do: "wake" }
  | { readonly do: "preload"; readonly index: number; readonly carried: number };

/** The command whose result has not been reported yet; at most one. */
export type PendingCommand =
  | { readonly what: "play"; readonly index: number; readonly how: How }
  | { readonly what: "swap" | "seek" | "fade" };

export interface Journey {
  readonly name: StateName;
  readonly settings: Settings;
  readonly run: Run | null;
  /** Ready pieces, a source beside the run; their indexes count down from -1. */
  readonly reserve: readonly Segment[];
  readonly online: boolean;
  /** The current segment, of the run or of the reserve; null before the first. */
  readonly index: number | null;
  /** The segment of the run that was heard last; -1 before the first. */
  readonly reached: number;
  /** Journey time at its beginning, and the place in it. */
  readonly startSeconds: number;
  readonly pieceSeconds: number;
  /** Piece time at which the file that sounds ends. */
  readonly fileEndSeconds: number | null;
  /** A deck has it loaded, playing or paused. */
  readonly loaded: boolean;
  readonly kind: Kind | null;
  readonly carried: number;
  /** What sounds is the preview of the very track that is the final. */
  readonly previewing: boolean;
  /** The deck plays, as of the last reading. */
  readonly sounds: boolean;
  /** Its address will expire before the file is read. */
  readonly stale: boolean;
  /** The data is about to run out. */
  readonly bufferLow: boolean;
  readonly pending: PendingCommand | null;
  readonly closing: boolean;
  readonly failure: { readonly what: "stalled" | "ended" | "lost"; readonly since: number } | null;
  /** Clock seconds since when nothing but the bed is heard. */
  readonly waitingSince: number | null;
  /** Clock seconds before which no source, or no swap, is tried again. */
  readonly retryAt: number;
  readonly swapAt: number;
  /** Tries in a row in which no source worked. */
  readonly failedTries: number;
  /** A segment of which no source worked; not tried again before `until`. */
  readonly avoided: { readonly index: number; readonly until: number } | null;
  /** Clock seconds at which the place, and the output, last stood still. */
  readonly stoodAt: number | null;
  readonly outputStoodAt: number | null;
  readonly interrupted: boolean;
  readonly gestureReason: GestureReason | null;
  /** The player's own mistake ended it. */
  readonly fault: "internal" | null;
}

export interface Step {
  readonly state: Journey;
  readonly commands: readonly Command[];
}

export function newJourney(settings: Settings): Journey {
  return {
    ...UNLOADED,
    name: "idle",
    settings,
    run: null,
    reserve: [],
    online: true,
    index: null,
    reached: -1,
    startSeconds: 0,
    pieceSeconds: 0,
    waitingSince: null,
    retryAt: 0,
    swapAt: 0,
    failedTries: 0,
    avoided: null,
    stoodAt: null,
    outputStoodAt: null,
    interrupted: false,
    gestureReason: null,
    fault: null,
  };
}

export type UserAction =
  | { readonly event: "start" | "pause" | "resume" | "stop" | "previous" | "next" | "own" }
  | { readonly event: "restore"; readonly place: Place }
  | { readonly event: "run"; readonly run: Run }
  | { readonly event: "reserve"; readonly pieces: readonly ReservePiece[] }
  | { readonly event: "online"; readonly online: boolean }
  | { readonly event: "seek"; readonly pieceSeconds: number };

export type PlaybackEvent =
  /** The place, read from the deck that sounds; null while none does. */
  | { readonly event: "tick"; readonly heard: DeckReading | null }
  /** A piece comes in, as commanded. */
  | ({ readonly event: "sounded"; readonly index: number; readonly carried: number } & PieceStart)
  /** It is there, alone and at its level. */
  | { readonly event: "settled" }
  /** No source of what was commanded works now. */
  | { readonly event: "unplayable" }
  /** The swap was given up; `never`: the final ends before this place. */
  | { readonly event: "kept"; readonly never: boolean }
  | { readonly event: "sought"; readonly pieceSeconds: number }
  | { readonly event: "stalled" | "flowing" | "ended" | "lost" }
  /** What should move stands still, unsaid by the browser. */
  | { readonly event: "stuck"; readonly what: Standstill }
  /** A call or unplugged headphones; or the browser requires a gesture. */
  | { readonly event: "interrupted" | "blocked" }
  /** The last fade is over, there; null where no piece could tell. */
  | { readonly event: "closed"; readonly pieceSeconds: number | null };

export interface DeckReading {
  readonly pieceSeconds: number;
  readonly fileEndSeconds: number | null;
  /** The deck plays, as it should. */
  readonly sounds: boolean;
  readonly bufferLow: boolean;
  readonly stale: boolean;
}

export interface PieceStart extends DeckReading {
  readonly kind: Kind;
  readonly previewing: boolean;
  /** Piece time of the segment that was left. */
  readonly leftAtSeconds: number;
}

/** One event, and the clock seconds at which it happened. */
export type JourneyEvent = (UserAction | PlaybackEvent) & { readonly at: number };

/** For every event of a family, what a step then is. */
export type Handlers<Family extends { readonly event: string }> = {
  readonly [Name in Family["event"]]: (
    state: Journey,
    event: Extract<Family, { readonly event: Name }> & { readonly at: number },
  ) => Step;
};

export function unchanged(state: Journey, ...commands: readonly Command[]): Step {
  return { state, commands };
}

export function update(
  state: Journey,
  changes: Partial<Journey>,
  ...commands: readonly Command[]
): Step {
  return { state: { ...state, ...changes }, commands };
}

/** To another state, or the same. Throws where TRANSITIONS does not allow it. */
export function transition(
  state: Journey,
  name: StateName,
  changes: Partial<Journey> = {},
  ...commands: readonly Command[]
): Step {
  if (name !== state.name && !TRANSITIONS[state.name].includes(name)) {
    throw new Error(`a journey does not go from ${state.name} to ${name}`);
  }
  return { state: { ...state, ...changes, name }, commands };
}

export function isIn(state: Journey, ...names: readonly StateName[]): boolean {
  return names.includes(state.name);
}

export function currentSegment(state: Journey): Segment | undefined {
  return findSegment(state.run, state.reserve, state.index);
}

/** The position of the listener; null before the first piece. */
export function positionIn(state: Journey): JourneyPosition | null {
  const segment = currentSegment(state);
  if (!segment) return null;
  const { reserve, reached, startSeconds, pieceSeconds, fileEndSeconds } = state;
  const run = state.run ?? NO_RUN;
  return { run, reserve, segment, reached, startSeconds, pieceSeconds, fileEndSeconds };
}

/** The state of a segment whose file is not loaded. */
export const UNLOADED = {
  loaded: false,
  kind: null,
  carried: 0,
  previewing: false,
  sounds: false,
  stale: false,
  bufferLow: false,
  closing: false,
  fileEndSeconds: null,
  failure: null,
  pending: null,
} satisfies Partial<Journey>;
