/** Feature checks for differences between browsers. */

interface AudioSession {
  type: string;
}

function audioSession(): AudioSession | undefined {
  return (navigator as Navigator & { readonly audioSession?: AudioSession }).audioSession;
}

/** Some devices leave the volume to their buttons: an element does not keep what it is told. */
export function canSetVolume(element: HTMLAudioElement = new Audio()): boolean {
  element.volume = 0.5;
  return element.volume === 0.5;
}

/** Where it can be said: this is music, which goes on when the screen is locked. */
export function declarePlayback(): void {
  const session = audioSession();
  if (session) session.type = "playback";
}

/**
 * On iOS sound through a graph stops when the screen is locked, unless `audioSession` exists;
 * such a device is known by a volume that cannot be set.
 */
export function prefersGraph(): boolean {
  if (typeof AudioContext !== "function") return false;
  return audioSession() !== undefined || canSetVolume();
}
