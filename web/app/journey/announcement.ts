/** What is said to those who do not see the page: each change of state, once. */

import type { Dictionary } from "../i18n/language";
import type { JourneyView } from "./journey-view";
import { isWaiting } from "./phase";
import { statusText } from "./status-text";

/** The words for what changed between two views; null when nothing worth saying did. */
export function announcement(before: JourneyView, now: JourneyView, t: Dictionary): string | null {
  if (before.retrying && !now.retrying && now.phase !== "stopped") return t.errors.online;
  if (before.phase !== now.phase) return ofStage(before, now, t);
  if (now.slow && !before.slow) return t.waiting.long;
  if (now.retrying && !before.retrying) return statusText(now, t);
  if (before.sound.network !== now.sound.network) return ofNetwork(now, t);
  if (before.sound.segment && before.sound.segment.id !== now.sound.segment?.id) {
    return statusText(now, t);
  }
  return null;
}

function ofStage(before: JourneyView, now: JourneyView, t: Dictionary): string {
  if (now.phase !== "playing") return statusText(now, t);
  return isWaiting(before.phase) ? t.playing.started : t.playing.resumed;
}

function ofNetwork({ sound }: JourneyView, t: Dictionary): string {
  return sound.network === "offline" ? t.errors.offlinePlaying : t.errors.online;
}
