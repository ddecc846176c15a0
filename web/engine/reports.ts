/** What the decks report, and what a step then is. Pure. */

import type { Entry, Handlers, Report } from "./events";
import { change, isIn, move, stay, UNLOADED } from "./moving";
import type { Journey, Step } from "./state";
import { pauseNow, startOf } from "./wishes";

export const REPORTS: Handlers<Report> = {
  tick(state, { heard }) {
    if (!heard || !state.loaded || state.doing?.what === "seek") return stay(state);
    return change(state, heard);
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
    return move(state, "playing", { trouble: null, waitingSince: null });
  },

  interrupted(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    return pauseNow(state, { interrupted: true });
  },

  blocked(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    return pauseNow(state, { gestureReason: "permission" });
  },

  closed(state) {
    if (!state.closing) return stay(state);
    return move(state, "finished", { ...UNLOADED, waitingSince: null });
  },
};

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
