/** The words in which a step of the journey is written. Pure. */

import type { Segment } from "./run";
import type { Here } from "./schedule";
import type { StateName } from "./snapshot";
import { type Command, type Journey, MOVES, type Step } from "./state";

export function stay(state: Journey, ...commands: readonly Command[]): Step {
  return { state, commands };
}

export function change(
  state: Journey,
  changes: Partial<Journey>,
  ...commands: readonly Command[]
): Step {
  return { state: { ...state, ...changes }, commands };
}

/** To another state, or the same. A move that MOVES does not know is a mistake of ours. */
export function move(
  state: Journey,
  name: StateName,
  changes: Partial<Journey> = {},
  ...commands: readonly Command[]
): Step {
  if (name !== state.name && !MOVES[state.name].includes(name)) {
    throw new Error(`a journey does not go from ${state.name} to ${name}`);
  }
  return { state: { ...state, ...changes, name }, commands };
}

export function isIn(state: Journey, ...names: readonly StateName[]): boolean {
  return names.includes(state.name);
}

export function segmentInHand(state: Journey): Segment | undefined {
  return state.run?.segments.find((segment) => segment.index === state.index);
}

/** Where the listener is; null before the first piece. */
export function hereOf(state: Journey): Here | null {
  const segment = segmentInHand(state);
  if (!state.run || !segment) return null;
  const { run, startSeconds, pieceSeconds, fileEndSeconds } = state;
  return { run, segment, startSeconds, pieceSeconds, fileEndSeconds };
}

/** What a segment is before its file is known. */
export const UNLOADED = {
  loaded: false,
  kind: null,
  carried: 0,
  previewing: false,
  sounds: false,
  stale: false,
  dry: false,
  closing: false,
  fileEndSeconds: null,
  trouble: null,
  doing: null,
} satisfies Partial<Journey>;
