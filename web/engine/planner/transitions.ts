/** The words in which a step of the journey is written. Pure. */

import type { Segment } from "../run";
import type { StateName } from "../snapshot";
import type { JourneyPosition } from "./schedule";
import { type Command, type Journey, type Step, TRANSITIONS } from "./state";

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

/** To another state, or the same. A move that MOVES does not know is a mistake of ours. */
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
  return state.run?.segments.find((segment) => segment.index === state.index);
}

/** Where the listener is; null before the first piece. */
export function positionIn(state: Journey): JourneyPosition | null {
  const segment = currentSegment(state);
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
  bufferLow: false,
  closing: false,
  fileEndSeconds: null,
  failure: null,
  pending: null,
} satisfies Partial<Journey>;
