/** How the light is to look, from what the page knows. */

import type { State } from "./app";
import { CALM_NOW } from "./choice";
import { coloursOf } from "./colours";
import type { Glow } from "./light";
import type { ListeningView } from "./listening-view";
import { isPlaying, isUnderWay, isWaiting } from "./stage";

export function glowOf(state: State, view: ListeningView, rms: () => number): Glow {
  const { route, still, breathing, presets } = state;
  const listening = route.name === "listen";
  const key = keyOf(state, view);
  const full = route.name === "home" || (listening && !hasText(view, state));
  return {
    colours: coloursOf(presets?.find((preset) => preset.key === key) ?? { key }),
    progress: listening ? progressOf(view, still) : 0,
    rms: isPlaying(view.stage) ? rms() : 0,
    size: full ? "full" : "small",
    guide: breathing && listening,
    still,
  };
}

function keyOf({ route }: State, { stage, presetKey }: ListeningView): string {
  if (route.name === "card") return route.key;
  return (route.name === "listen" || isUnderWay(stage)) && presetKey ? presetKey : CALM_NOW;
}

/** A still light steps each minute. */
function progressOf({ sound }: ListeningView, still: boolean): number {
  const { journeySeconds, totalSeconds } = sound;
  if (totalSeconds <= 0) return 0;
  return (still ? Math.floor(journeySeconds / 60) * 60 : journeySeconds) / totalSeconds;
}

/** Words that want the room which the full light takes. */
function hasText({ stage }: ListeningView, { rating }: State): boolean {
  if (rating) return true;
  const oneTap = stage === "kept" || stage === "elsewhere";
  return !(oneTap || isWaiting(stage) || isPlaying(stage));
}
