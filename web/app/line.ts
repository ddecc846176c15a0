/** The one line of words for where a journey is. */

import type { Dictionary } from "./i18n/language";
import type { ListeningView } from "./listening-view";

export function lineOf(view: ListeningView, t: Dictionary): string {
  switch (view.stage) {
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
      if (view.sound.gestureReason === "output") return t.trouble.outputLost;
      return view.sound.interrupted ? t.playing.interrupted : t.playing.paused;
    case "stalled":
      return t.playing.stalled;
    case "closing":
      return t.playing.ending;
    case "playing":
      return pieceLine(view, t);
    case "failed":
    case "trouble":
      return troubleLine(view, t);
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

/** A trouble in words; kind ones, and never a code. */
export function troubleLine({ trouble, sound }: ListeningView, t: Dictionary): string {
  switch (trouble?.kind) {
    case "quota":
      return t.trouble.quota;
    case "gone":
      return t.trouble.noSource;
    case "unreachable":
      return t.trouble.offline;
    case "busy":
      return t.trouble.service;
    case "crowded":
      return t.trouble.crowded;
    case "signed-out":
      return t.trouble.signedOut;
    case "page":
      return t.trouble.page;
    default:
      return sound.run?.status === "failed" ? t.trouble.failedRun : t.trouble.noSource;
  }
}

function pieceLine({ sound }: ListeningView, t: Dictionary): string {
  if (!sound.segment || !sound.run) return "";
  return t.playing.piece(sound.segment.index + 1, sound.run.segments.length);
}
