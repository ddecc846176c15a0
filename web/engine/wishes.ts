/** What the listener and the page wish, and what a step then is. Pure. */

import type { Handlers, Wish } from "./events";
import { change, isIn, move, segmentInHand, stay, UNLOADED } from "./moving";
import { isHopeless, nextPlayable, plannedStart, previousPlayable } from "./schedule";
import type { Journey, Step } from "./state";

/** Less into a piece than this, and "previous" means the one before. */
const BEGINNING_SECONDS = 5;

export const WISHES: Handlers<Wish> = {
  start(state, { at }) {
    if (state.name !== "idle") return stay(state);
    return move(state, "waiting", { waitingSince: at });
  },

  /** After a reload: paused where one was. */
  restore(state, { place }) {
    if (state.name !== "idle") return stay(state);
    return move(state, "paused", {
      index: place.segmentIndex,
      pieceSeconds: place.pieceSeconds,
      startSeconds: Math.max(place.journeySeconds - place.pieceSeconds, 0),
    });
  },

  run(state, { run, at }) {
    const known = { run };
    if (state.name !== "failed" || isHopeless(run)) return change(state, known);
    return move(state, "waiting", { ...known, waitingSince: at });
  },

  online(state, { online }) {
    // What failed without a network is tried again at once.
    return change(state, online && !state.online ? { online, retryAt: 0, swapAt: 0 } : { online });
  },

  pause(state) {
    if (!isIn(state, "waiting", "playing", "stalled")) return stay(state);
    return pauseNow(state, {});
  },

  resume(state, { at }) {
    if (state.name !== "paused") return stay(state);
    const again = {
      interrupted: false,
      gestureReason: null,
      stoodAt: null,
      retryAt: 0,
      sounds: true,
    };
    if (!state.loaded) return move(state, "waiting", { ...again, waitingSince: at });
    return move(state, "playing", { ...again, doing: { what: "fade" } }, { do: "resume" });
  },

  stop(state) {
    if (isIn(state, "idle", "finished", "stopped")) return stay(state);
    return move(state, "stopped", { ...UNLOADED, waitingSince: null }, { do: "stop" });
  },

  previous(state) {
    const index = headedFor(state);
    if (index === null || !state.run) return stay(state);
    const before = previousPlayable(state.run, index);
    const inside = index === state.index && state.pieceSeconds > BEGINNING_SECONDS;
    return jump(state, inside || !before ? index : before.index);
  },

  next(state) {
    const index = headedFor(state);
    const next = state.run && index !== null && nextPlayable(state.run, index);
    return next ? jump(state, next.index) : stay(state);
  },

  seek(state, { pieceSeconds }) {
    if (!state.loaded || !isIn(state, "playing", "stalled", "paused")) return stay(state);
    if (state.trouble && state.trouble.what !== "stalled") return stay(state);
    const paused = state.name === "paused";
    return change(
      state,
      { closing: false, pieceSeconds, doing: paused ? null : { what: "seek" } },
      { do: "seek", pieceSeconds, paused },
    );
  },
};

/** A file that is over or lost is not held; a stalled one is. */
export function pauseNow(state: Journey, why: Partial<Journey>): Step {
  const held = state.loaded && (state.trouble === null || state.trouble.what === "stalled");
  const changes = { doing: null, closing: false, trouble: null, waitingSince: null, dry: false };
  if (held) return move(state, "paused", { ...changes, ...why }, { do: "pause" });
  const place = { pieceSeconds: state.pieceSeconds };
  return move(state, "paused", { ...UNLOADED, ...changes, ...place, ...why }, { do: "release" });
}

/** Asked twice quickly means two pieces further. */
function headedFor({ doing, index }: Journey): number | null {
  return doing?.what === "play" && doing.how === "jump" ? doing.index : index;
}

/** To the beginning of a segment, now or when resumed. */
function jump(state: Journey, index: number): Step {
  if (!isIn(state, "playing", "stalled", "paused")) return stay(state);
  if (state.name === "paused") {
    const startSeconds = startOf(state, index);
    const place = { index, startSeconds, pieceSeconds: 0 };
    return change(state, { ...UNLOADED, ...place }, { do: "release" });
  }
  return change(
    state,
    { closing: false, doing: { what: "play", index, how: "jump" } },
    { do: "play", index, carried: 0, pieceSeconds: 0, how: "jump" },
  );
}

/** Where a segment begins that one jumps to: as planned, unless one is in it. */
export function startOf(state: Journey, index: number): number {
  if (index === segmentInHand(state)?.index || !state.run) return state.startSeconds;
  return plannedStart(state.run, index, state.settings);
}
