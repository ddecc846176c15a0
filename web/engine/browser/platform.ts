/** What browsers differ in. */

import { canSetVolume } from "./plain-deck";

interface AudioSession {
  type: string;
}

function audioSession(): AudioSession | undefined {
  return (navigator as Navigator & { readonly audioSession?: AudioSession }).audioSession;
}

/** Where it can be said: this is music, which goes on when the screen is locked. */
export function declarePlayback(): void {
  const session = audioSession();
  if (session) session.type = "playback";
}

/** Safari lets an element play later only when it has played in a gesture. */
export function needsPriming(): boolean {
  return audioSession() !== undefined;
}

/**
 * On iOS sound through a graph stops when the screen is locked, unless `audioSession` exists;
 * such a device is known by a volume that cannot be set.
 */
export function prefersGraph(): boolean {
  if (typeof AudioContext !== "function") return false;
  return audioSession() !== undefined || canSetVolume();
}
