/** The words for the phase of a journey: one line on the screen, and announcements for screen readers. */

import type { Dictionary } from "../i18n/language";
import { isPlaying, isWaiting, type JourneyView } from "./journey-view";

export function statusText(view: JourneyView, t: Dictionary): string {
  switch (view.phase) {
    case "opening":
      return t.waiting.signingIn;
    case "form":
      return t.signIn.titleIn;
    case "writing":
      return t.waiting.writing;
    case "composing":
      return t.waiting.composing;
    case "ready":
      return t.waiting.ready;
    case "paused":
      if (view.sound.gestureReason === "output") return t.errors.outputLost;
      return view.sound.interrupted ? t.playing.interrupted : t.playing.paused;
    case "stalled":
      return t.playing.stalled;
    case "closing":
      return t.playing.ending;
    case "playing":
      return pieceText(view, t);
    case "failed":
    case "error":
      return errorText(view, t);
    case "kept":
      return t.resume.title;
    case "elsewhere":
      return t.tabs.elsewhere;
    case "stopped":
      return t.end.stopped;
    case "finished":
      return t.end.finished;
    case "none":
      return "";
  }
}

/** The words for an error; never a code. */
export function errorText({ error, sound }: JourneyView, t: Dictionary): string {
  switch (error?.kind) {
    case "quota":
      return t.errors.quota;
    case "not-found":
      return t.errors.noSource;
    case "unreachable":
      return t.errors.offline;
    case "unavailable":
      return t.errors.service;
    case "rate-limited":
      return t.errors.crowded;
    case "signed-out":
      return t.errors.signedOut;
    case "internal":
      return t.errors.page;
    default:
      return sound.run?.status === "failed" ? t.errors.failedRun : t.errors.noSource;
  }
}

function pieceText({ sound, accompanied }: JourneyView, t: Dictionary): string {
  if (sound.source === "reserve") return accompanied ? t.reserve.accompanies : t.reserve.meanwhile;
  if (!sound.segment || !sound.run) return "";
  return t.playing.piece(sound.segment.index + 1, sound.run.segments.length);
}

/** The words for what changed between two views; null when nothing worth saying did. */
export function announcement(before: JourneyView, now: JourneyView, t: Dictionary): string | null {
  if (before.retrying && !now.retrying && now.phase !== "stopped") return t.errors.online;
  if (before.phase !== now.phase) return ofStage(before, now, t);
  if (now.sound.source !== before.sound.source) return ofSource(now, t);
  if (now.accompanied && !before.accompanied) return t.reserve.accompanies;
  if (now.slow && !before.slow) return t.waiting.long;
  if (now.retrying && !before.retrying) return statusText(now, t);
  if (before.sound.network !== now.sound.network) return ofNetwork(now, t);
  if (now.sound.ownPlayable && !before.sound.ownPlayable) return t.reserve.ready;
  if (before.sound.segment && before.sound.segment.id !== now.sound.segment?.id) {
    return statusText(now, t);
  }
  return null;
}

function ofStage(before: JourneyView, now: JourneyView, t: Dictionary): string {
  if (now.phase !== "playing") return statusText(now, t);
  if (now.sound.source === "reserve" && !isPlaying(before.phase)) return statusText(now, t);
  return isWaiting(before.phase) ? t.playing.started : t.playing.resumed;
}

/** Honest about whose music it is. */
function ofSource(now: JourneyView, t: Dictionary): string | null {
  if (now.phase !== "playing") return null;
  return now.sound.source === "run" ? t.reserve.yours : statusText(now, t);
}

function ofNetwork({ sound }: JourneyView, t: Dictionary): string {
  return sound.network === "offline" ? t.errors.offlinePlaying : t.errors.online;
}
