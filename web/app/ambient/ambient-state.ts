/** How the light is to look, from what the page knows. */

import type { State } from "../app";
import type { JourneyView } from "../journey/journey-view";
import { isPlaying, isUnderWay, isWaiting } from "../journey/phase";
import { CALM_NOW } from "../journey/run-request";
import type { AmbientState } from "./ambient-light";
import { coloursOf } from "./colours";

export function ambientStateOf(state: State, view: JourneyView, rms: () => number): AmbientState {
  const { route, still, breathing, presets } = state;
  const listening = route.name === "listen";
  const key = keyOf(state, view);
  const full = route.name === "home" || (listening && !needsRoomForText(view, state));
  return {
    colours: coloursOf(presets?.find((preset) => preset.key === key) ?? { key }),
    progress: listening ? progressOf(view, still) : 0,
    rms: isPlaying(view.phase) ? rms() : 0,
    size: full ? "full" : "small",
    guide: breathing && listening,
    still,
  };
}

function keyOf({ route }: State, { phase, presetKey }: JourneyView): string {
  if (route.name === "card") return route.key;
  return (route.name === "listen" || isUnderWay(phase)) && presetKey ? presetKey : CALM_NOW;
}

/** A still light steps each minute. */
function progressOf({ sound }: JourneyView, still: boolean): number {
  const { journeySeconds, totalSeconds } = sound;
  if (totalSeconds <= 0) return 0;
  return (still ? Math.floor(journeySeconds / 60) * 60 : journeySeconds) / totalSeconds;
}

/** Words that want the room which the full light takes. */
function needsRoomForText({ phase }: JourneyView, { rating }: State): boolean {
  if (rating) return true;
  const oneTap = phase === "kept" || phase === "elsewhere";
  return !(oneTap || isWaiting(phase) || isPlaying(phase));
}
