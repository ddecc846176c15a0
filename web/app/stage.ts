/** Where a journey is, in the few words that the screens know. */

import { isPlayable, type Snapshot, type StateName } from "../engine";

/** How far the page itself has come. */
export type Step =
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
  | "trouble"
  | "stopped"
  | "finished";

export type Stage =
  | Exclude<Step, "following">
  | "composing"
  | "ready"
  | "playing"
  | "closing"
  | "paused"
  | "stalled"
  | "failed";

const OF_STATE: Readonly<Record<StateName, Stage>> = {
  idle: "composing",
  waiting: "composing",
  playing: "playing",
  paused: "paused",
  stalled: "stalled",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
};

/** What stands in the way of more music, if anything does. */
export interface Hindrance {
  /** Nothing that the page tries by itself mends it. */
  readonly troubled: boolean;
  /** Nothing but the bed has been heard for longer than usual. */
  readonly long: boolean;
}

export function stageOf(step: Step, sound: Snapshot, { troubled, long }: Hindrance): Stage {
  if (step !== "following") return step;
  // A trouble is no reason to leave what can still be heard.
  if (troubled && (isBarren(sound) || (sound.state === "stalled" && long))) return "trouble";
  if (sound.state === "playing" && sound.closing) return "closing";
  // Taken up in the middle: the music is coming back, it does not begin.
  if (sound.state === "waiting" && sound.journeySeconds > 0) return "stalled";
  if (sound.state === "waiting" && firstIsThere(sound)) return "ready";
  return OF_STATE[sound.state];
}

/** Music is being made; nothing of it sounds yet. */
const WAITING: ReadonlySet<Stage> = new Set(["opening", "writing", "composing", "ready"]);
const PLAYING: ReadonlySet<Stage> = new Set(["playing", "closing", "paused", "stalled"]);
const ASKING: ReadonlySet<Stage> = new Set(["form", "trouble", "failed"]);
/** Nothing sounds here, and nothing is about to. */
const AT_REST: ReadonlySet<Stage> = new Set(["none", "kept", "elsewhere", "stopped", "finished"]);

export const isWaiting = (stage: Stage) => WAITING.has(stage);
export const isPlaying = (stage: Stage) => PLAYING.has(stage);
/** Nothing goes on before the listener does something. */
export const asksForATap = (stage: Stage) => ASKING.has(stage);
/** A journey is in hand: Stop is there, and Escape means it. */
export const isUnderWay = (stage: Stage) => !AT_REST.has(stage);

function firstIsThere({ run }: Snapshot): boolean {
  const first = run?.segments[0];
  return first?.status === "first" || first?.status === "complete";
}

/** Its run is known, and nothing of it can be heard. */
function isBarren({ state, run }: Snapshot): boolean {
  return state === "waiting" && run !== null && !run.segments.some(isPlayable);
}
