/** What the decks report, and what a step then is. Pure. */

import type { Entry, Handlers, Report } from "./events";
import { change, isIn, move, stay, UNLOADED } from "./moving";
import type { Journey, Step } from "./state";
import { pauseNow, startOf } from "./wishes";

export const REPORTS: Handlers<Report> = {
  tick(state, { heard, at }) {
    if (!heard || !state.loaded || state.doing?.what === "seek") return stay(state);
    const { pieceSeconds, fileEndSeconds } = heard;
    // A file may sound on in silence after its end of sound; that is its end.
    const over = fileEndSeconds !== null && pieceSeconds >= fileEndSeconds;
    if (over && state.name === "playing" && !state.doing) {
      return silence({ ...state, ...heard }, "ended", at);
    }
    const moves = state.trouble?.what === "stalled" && pieceSeconds > state.pieceSeconds;
    if (moves && state.name === "stalled") return move(state, "playing", { ...heard, ...FLOWING });
    return change(state, heard);
  },

  stuck(state, { what, at }) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    if (what === "output") return outputStands(state, at);
    return what === "start" ? startStands(state, at) : placeStands(state, at);
  },

  sounded(state, event) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    const { index, carried, kind, previewing } = event;
    const { pieceSeconds, fileEndSeconds, sounds, dry, stale } = event;
    return move(state, "playing", {
      index,
      startSeconds: startAfter(state, event),
      ...{ carried, kind, previewing },
      ...{ pieceSeconds, fileEndSeconds, sounds, dry, stale },
      loaded: true,
      doing: { what: "fade" },
      trouble: null,
      waitingSince: null,
      misses: 0,
      shunned: null,
    });
  },

  settled(state) {
    return state.doing?.what === "fade" ? change(state, { doing: null }) : stay(state);
  },

  unplayable(state, { at }) {
    if (state.doing?.what !== "play") return stay(state);
    const retryAt = at + state.settings.retrySeconds;
    // Without a network nothing is the segment's fault.
    const shunned = state.online
      ? { index: state.doing.index, until: at + 6 * state.settings.retrySeconds }
      : state.shunned;
    return change(state, { doing: null, retryAt, shunned, misses: state.misses + 1 });
  },

  kept(state, { never, at }) {
    if (state.doing?.what !== "swap") return stay(state);
    const swapAt = at + state.settings.retrySeconds;
    return change(state, { doing: null, swapAt, previewing: state.previewing && !never });
  },

  sought(state, { pieceSeconds }) {
    if (state.name === "paused") return change(state, { pieceSeconds });
    if (state.doing?.what !== "seek") return stay(state);
    const there = { pieceSeconds, sounds: true, trouble: null, waitingSince: null };
    return move(state, "playing", { ...there, doing: { what: "fade" } });
  },

  stalled: (state, { at }) => silence(state, "stalled", at),
  ended: (state, { at }) => silence(state, "ended", at),
  lost: (state, { at }) => silence(state, "lost", at),

  flowing(state) {
    if (state.name !== "stalled" || state.trouble?.what !== "stalled") return stay(state);
    return move(state, "playing", FLOWING);
  },

  interrupted(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    return pauseNow(state, { interrupted: true });
  },

  blocked(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    return pauseNow(state, { gestureReason: "permission" });
  },

  closed(state, { pieceSeconds }) {
    if (!state.closing) return stay(state);
    // Later than the last tick told: as much of the journey as was heard.
    const heard = { pieceSeconds: pieceSeconds ?? state.pieceSeconds };
    return move(state, "finished", { ...UNLOADED, ...heard, waitingSince: null });
  },
};

const FLOWING = { trouble: null, waitingSince: null } as const;

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

/** Opened twice, and neither began: once more, and it is not the file's fault. */
function startStands(state: Journey, at: number): Step {
  const { stoodAt, settings } = state;
  const again = stoodAt !== null && at - stoodAt < settings.standstillAgainSeconds;
  return again ? wantOutput(state) : change(state, { stoodAt: at });
}

/** It is shaken first; then only another output helps, and that takes a tap. */
function outputStands(state: Journey, at: number): Step {
  const { outputStoodAt, settings } = state;
  const again = outputStoodAt !== null && at - outputStoodAt < settings.standstillAgainSeconds;
  return again ? wantOutput(state) : change(state, { outputStoodAt: at }, { do: "wake" });
}

/** Paused, with nothing open: what was open belongs to the output that is given up. */
function wantOutput(state: Journey): Step {
  const { pieceSeconds } = state;
  const none = { stoodAt: null, outputStoodAt: null, waitingSince: null };
  const why = { gestureReason: "output" } as const;
  return move(state, "paused", { ...UNLOADED, ...none, ...why, pieceSeconds }, { do: "release" });
}

function startAfter(state: Journey, { index, leftAtSeconds }: Entry & { index: number }): number {
  if (state.index === null || index === state.index) return state.startSeconds;
  const jumped = state.doing?.what === "play" && state.doing.how === "jump";
  return jumped ? startOf(state, index) : state.startSeconds + leftAtSeconds;
}

/** The piece is silent, unasked. During the last fade that is the end. */
function silence(state: Journey, what: "stalled" | "ended" | "lost", at: number): Step {
  if (state.name === "paused" && what !== "stalled") {
    return change(state, { ...UNLOADED }, { do: "release" });
  }
  if (!isIn(state, "playing", "stalled") || !state.loaded) return stay(state);
  if (state.closing) {
    const over = { ...UNLOADED, waitingSince: null };
    return move(state, "finished", over, { do: "release" });
  }
  const since = state.trouble?.since ?? at;
  const waitingSince = state.waitingSince ?? at;
  // A seek or a fade of a file that is gone comes to nothing; what brings another goes on.
  const gone = what !== "stalled" && (state.doing?.what === "seek" || state.doing?.what === "fade");
  const doing = gone ? null : state.doing;
  return move(state, "stalled", { trouble: { what, since }, waitingSince, doing });
}
