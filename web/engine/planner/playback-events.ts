/** How each playback event changes the state of a journey. Pure. */

import { isKept, isReserve } from "./reserve";
import {
  type Handlers,
  isIn,
  type Journey,
  type PieceStart,
  type PlaybackEvent,
  type Step,
  transition,
  UNLOADED,
  unchanged,
  update,
} from "./state";
import { pauseNow, startOf } from "./user-actions";

export const PLAYBACK_EVENTS: Handlers<PlaybackEvent> = {
  tick(state, { heard, at }) {
    if (!heard || !state.loaded || state.pending?.what === "seek") return unchanged(state);
    const { pieceSeconds, fileEndSeconds } = heard;
    // A file may be silent after `soundEndSeconds`; that counts as its end.
    const over = fileEndSeconds !== null && pieceSeconds >= fileEndSeconds;
    if (over && state.name === "playing" && !state.pending) {
      return silence({ ...state, ...heard }, "ended", at);
    }
    const moves = state.failure?.what === "stalled" && pieceSeconds > state.pieceSeconds;
    if (moves && state.name === "stalled")
      return transition(state, "playing", { ...heard, ...FLOWING });
    return update(state, heard);
  },

  stuck(state, { what, at }) {
    if (!isIn(state, "waiting", "playing", "stalled")) return unchanged(state);
    if (what === "output") return outputStands(state, at);
    return what === "start" ? startStands(state, at) : placeStands(state, at);
  },

  sounded(state, event) {
    if (!isIn(state, "waiting", "playing", "stalled")) return unchanged(state);
    const { index, carried, kind, previewing } = event;
    const { pieceSeconds, fileEndSeconds, sounds, bufferLow, stale } = event;
    return transition(state, "playing", {
      index,
      reached: isReserve(index) ? state.reached : index,
      startSeconds: startAfter(state, event),
      ...{ carried, kind, previewing },
      ...{ pieceSeconds, fileEndSeconds, sounds, bufferLow, stale },
      loaded: true,
      pending: { what: "fade" },
      failure: null,
      waitingSince: null,
      failedTries: 0,
      avoided: null,
    });
  },

  settled(state) {
    return state.pending?.what === "fade" ? update(state, { pending: null }) : unchanged(state);
  },

  unplayable(state, { at }) {
    if (state.pending?.what !== "play") return unchanged(state);
    const { index } = state.pending;
    const { retrySeconds } = state.settings;
    // What this browser keeps is tried at once: the piece before is about to end.
    const other = state.reserve.some((piece) => isKept(piece) && piece.index !== index);
    const retryAt = isReserve(index) && other ? at : at + retrySeconds;
    // Without a network nothing is the segment's fault; of the reserve another may be kept here.
    const avoided =
      state.online || isReserve(index) ? { index, until: at + 6 * retrySeconds } : state.avoided;
    return update(state, { pending: null, retryAt, avoided, failedTries: state.failedTries + 1 });
  },

  kept(state, { never, at }) {
    if (state.pending?.what !== "swap") return unchanged(state);
    const swapAt = at + state.settings.retrySeconds;
    return update(state, { pending: null, swapAt, previewing: state.previewing && !never });
  },

  sought(state, { pieceSeconds }) {
    if (state.name === "paused") return update(state, { pieceSeconds });
    if (state.pending?.what !== "seek") return unchanged(state);
    const there = { pieceSeconds, sounds: true, failure: null, waitingSince: null };
    return transition(state, "playing", { ...there, pending: { what: "fade" } });
  },

  stalled: (state, { at }) => silence(state, "stalled", at),
  ended: (state, { at }) => silence(state, "ended", at),
  lost: (state, { at }) => silence(state, "lost", at),

  flowing(state) {
    if (state.name !== "stalled" || state.failure?.what !== "stalled") return unchanged(state);
    return transition(state, "playing", FLOWING);
  },

  interrupted(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return unchanged(state);
    return pauseNow(state, { interrupted: true });
  },

  blocked(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return unchanged(state);
    return pauseNow(state, { gestureReason: "permission" });
  },

  closed(state, { pieceSeconds }) {
    if (!state.closing) return unchanged(state);
    // The position at the end of the fade, which is later than the last tick.
    const heard = { pieceSeconds: pieceSeconds ?? state.pieceSeconds };
    return transition(state, "finished", { ...UNLOADED, ...heard, waitingSince: null });
  },
};

const FLOWING = { failure: null, waitingSince: null } as const;

/**
 * The bed comes in, and the file is opened again: a stream when it has been waited for, as its
 * data may be late. A second time it is not the file's fault.
 */
function placeStands(state: Journey, at: number): Step {
  const { stoodAt, settings, kind } = state;
  if (state.closing) return silence(state, "ended", at);
  const again = stoodAt !== null && at - stoodAt < settings.standstillAgainSeconds;
  if (kind === "preview") return silence(state, "stalled", at);
  return again ? wantOutput(state) : silence({ ...state, stoodAt: at }, "lost", at);
}

/** Opened twice, and neither started. If it happens again soon, the output is at fault, not the file. */
function startStands(state: Journey, at: number): Step {
  const { stoodAt, settings } = state;
  const again = stoodAt !== null && at - stoodAt < settings.standstillAgainSeconds;
  return again ? wantOutput(state) : update(state, { stoodAt: at });
}

/** The output is resumed first; if it stands still again, another output is needed, and that needs a gesture. */
function outputStands(state: Journey, at: number): Step {
  const { outputStoodAt, settings } = state;
  const again = outputStoodAt !== null && at - outputStoodAt < settings.standstillAgainSeconds;
  return again ? wantOutput(state) : update(state, { outputStoodAt: at }, { do: "wake" });
}

/** Paused, with nothing loaded: the decks belong to the output that is replaced. */
function wantOutput(state: Journey): Step {
  const { pieceSeconds } = state;
  const none = { stoodAt: null, outputStoodAt: null, waitingSince: null };
  const why = { gestureReason: "output" } as const;
  return transition(
    state,
    "paused",
    { ...UNLOADED, ...none, ...why, pieceSeconds },
    { do: "release" },
  );
}

function startAfter(
  state: Journey,
  { index, leftAtSeconds }: PieceStart & { index: number },
): number {
  const how = state.pending?.what === "play" ? state.pending.how : null;
  // A piece of the reserve that follows itself begins anew; of the run it is carried on.
  const anew = isReserve(index) && how === "follow";
  if (state.index === null || (index === state.index && !anew)) return state.startSeconds;
  const jumped = how === "jump";
  return jumped ? startOf(state, index) : state.startSeconds + leftAtSeconds;
}

/** The piece fell silent by itself. During the last fade that ends the journey. */
function silence(state: Journey, what: "stalled" | "ended" | "lost", at: number): Step {
  if (state.name === "paused" && what !== "stalled") {
    return update(state, { ...UNLOADED }, { do: "release" });
  }
  if (!isIn(state, "playing", "stalled") || !state.loaded) return unchanged(state);
  if (state.closing) {
    const over = { ...UNLOADED, waitingSince: null };
    return transition(state, "finished", over, { do: "release" });
  }
  const since = state.failure?.since ?? at;
  const waitingSince = state.waitingSince ?? at;
  // A seek or a fade of a lost file cannot finish; a play or a swap to another deck goes on.
  const gone =
    what !== "stalled" && (state.pending?.what === "seek" || state.pending?.what === "fade");
  const pending = gone ? null : state.pending;
  return transition(state, "stalled", { failure: { what, since }, waitingSince, pending });
}
