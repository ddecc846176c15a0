/** What is said to those who do not see the page: each change of state, once. */

import type { Dictionary } from "./i18n/language";
import { lineOf } from "./line";
import type { ListeningView } from "./listening-view";
import { isWaiting } from "./stage";

/** The words for what changed between two views; null when nothing worth saying did. */
export function announcement(
  before: ListeningView,
  now: ListeningView,
  t: Dictionary,
): string | null {
  if (before.hiccup && !now.hiccup && now.stage !== "stopped") return t.trouble.online;
  if (before.stage !== now.stage) return ofStage(before, now, t);
  if (now.long && !before.long) return t.waiting.long;
  if (now.hiccup && !before.hiccup) return lineOf(now, t);
  if (before.sound.network !== now.sound.network) return ofNetwork(now, t);
  if (before.sound.segment && before.sound.segment.id !== now.sound.segment?.id) {
    return lineOf(now, t);
  }
  return null;
}

function ofStage(before: ListeningView, now: ListeningView, t: Dictionary): string {
  if (now.stage !== "playing") return lineOf(now, t);
  return isWaiting(before.stage) ? t.playing.started : t.playing.resumed;
}

function ofNetwork({ sound }: ListeningView, t: Dictionary): string {
  return sound.network === "offline" ? t.trouble.offlinePlaying : t.trouble.online;
}
