/** How each user action changes the state of a journey. Pure. */

import { isReserve, withPieces } from "./reserve";
import { isNeverPlayable, nextPlayable, ownNext, plannedStart, previousPlayable } from "./schedule";
import {
  currentSegment,
  type Handlers,
  isIn,
  type Journey,
  positionIn,
  type Step,
  transition,
  UNLOADED,
  type UserAction,
  unchanged,
  update,
} from "./state";

/** Earlier than this in a piece, "previous" means the piece before. */
const BEGINNING_SECONDS = 5;

export const USER_ACTIONS: Handlers<UserAction> = {
  start(state, { at }) {
    if (state.name !== "idle") return unchanged(state);
    return transition(state, "waiting", { waitingSince: at });
  },

  /** After a reload: paused at the saved place. */
  restore(state, { place }) {
    if (state.name !== "idle") return unchanged(state);
    return transition(state, "paused", {
      index: place.segmentIndex,
      reached: place.segmentIndex,
      pieceSeconds: place.pieceSeconds,
      startSeconds: Math.max(place.journeySeconds - place.pieceSeconds, 0),
    });
  },

  run(state, { run, at }) {
    const known = { run };
    if (state.name !== "failed" || isNeverPlayable(run)) return update(state, known);
    return transition(state, "waiting", { ...known, waitingSince: at });
  },

  /** What was known stays: a piece may be in hand. */
  reserve(state, { pieces, at }) {
    const reserve = withPieces(state.reserve, pieces);
    if (state.name !== "failed" || pieces.length === 0) return update(state, { reserve });
    const again = { reserve, failedTries: 0, retryAt: 0, waitingSince: at };
    return transition(state, "waiting", again);
  },

  online(state, { online }) {
    // What failed while offline is tried again at once.
    return update(state, online && !state.online ? { online, retryAt: 0, swapAt: 0 } : { online });
  },

  pause(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return unchanged(state);
    return pauseNow(state, {});
  },

  resume(state, { at }) {
    if (state.name !== "paused") return unchanged(state);
    const again = {
      interrupted: false,
      gestureReason: null,
      stoodAt: null,
      retryAt: 0,
      sounds: true,
    };
    if (!state.loaded) return transition(state, "waiting", { ...again, waitingSince: at });
    return transition(state, "playing", { ...again, pending: { what: "fade" } }, { do: "resume" });
  },

  stop(state) {
    if (isIn(state, "idle", "finished", "stopped")) return unchanged(state);
    return transition(state, "stopped", { ...UNLOADED, waitingSince: null }, { do: "stop" });
  },

  previous(state) {
    const index = targetIndex(state);
    if (index === null || !state.run || isReserve(state.index)) return unchanged(state);
    const before = previousPlayable(state.run, index);
    const inside = index === state.index && state.pieceSeconds > BEGINNING_SECONDS;
    return jump(state, inside || !before ? index : before.index);
  },

  next(state) {
    if (isReserve(state.index)) return toOwn(state);
    const index = targetIndex(state);
    const next = state.run && index !== null && nextPlayable(state.run, index);
    return next ? jump(state, next.index) : unchanged(state);
  },

  own: toOwn,

  seek(state, { pieceSeconds }) {
    if (!state.loaded || !isIn(state, "playing", "stalled", "paused")) return unchanged(state);
    if (state.failure && state.failure.what !== "stalled") return unchanged(state);
    const paused = state.name === "paused";
    return update(
      state,
      { closing: false, pieceSeconds, pending: paused ? null : { what: "seek" } },
      { do: "seek", pieceSeconds, paused },
    );
  },
};

/** Keeps the deck of a stalled file; releases one that has ended or is lost. */
export function pauseNow(state: Journey, why: Partial<Journey>): Step {
  const held = state.loaded && (state.failure === null || state.failure.what === "stalled");
  const changes = {
    pending: null,
    closing: false,
    failure: null,
    waitingSince: null,
    bufferLow: false,
  };
  if (held) return transition(state, "paused", { ...changes, ...why }, { do: "pause" });
  const place = { pieceSeconds: state.pieceSeconds };
  return transition(
    state,
    "paused",
    { ...UNLOADED, ...changes, ...place, ...why },
    { do: "release" },
  );
}

/** From a piece of the reserve to the listener's own, now or when resumed: journey time goes on. */
function toOwn(state: Journey): Step {
  const here = positionIn(state);
  const own = isReserve(state.index) && here && ownNext(here, state.settings);
  if (!own || !isIn(state, "playing", "stalled", "paused")) return unchanged(state);
  const { index } = own;
  if (state.name === "paused") {
    const startSeconds = state.startSeconds + state.pieceSeconds;
    const place = { index, startSeconds, pieceSeconds: 0 };
    return update(state, { ...UNLOADED, ...place }, { do: "release" });
  }
  return update(
    state,
    { closing: false, pending: { what: "play", index, how: "follow" } },
    { do: "play", index, carried: 0, pieceSeconds: 0, how: "follow" },
  );
}

/** The index of a jump under way, else of the current segment: two quick taps move two pieces. */
function targetIndex({ pending, index }: Journey): number | null {
  return pending?.what === "play" && pending.how === "jump" ? pending.index : index;
}

/** To the beginning of a segment, now or when resumed. */
function jump(state: Journey, index: number): Step {
  if (!isIn(state, "playing", "stalled", "paused")) return unchanged(state);
  if (state.name === "paused") {
    const startSeconds = startOf(state, index);
    const place = { index, startSeconds, pieceSeconds: 0 };
    return update(state, { ...UNLOADED, ...place }, { do: "release" });
  }
  return update(
    state,
    { closing: false, pending: { what: "play", index, how: "jump" } },
    { do: "play", index, carried: 0, pieceSeconds: 0, how: "jump" },
  );
}

/** Where a segment begins after a jump: as planned, unless it is the current one. */
export function startOf(state: Journey, index: number): number {
  if (index === currentSegment(state)?.index || !state.run) return state.startSeconds;
  return plannedStart(state.run, index, state.settings);
}
