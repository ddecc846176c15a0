import type { Settings } from "../settings";

/** Short settings: one second stands for half a minute. */
export const SETTINGS: Partial<Settings> & { readonly journeySecondsMax: number } = {
  journeySecondsMin: 30,
  journeySecondsMax: 44,
  crossfadeSeconds: 0.6,
  firstFadeSeconds: 0.5,
  againFadeSeconds: 0.3,
  closingFadeSeconds: 1,
  bedInSeconds: 0.3,
  bedOutSeconds: 0.5,
  prepareSeconds: 4,
  carriedSecondsMin: 2,
  shortSecondsMax: 0.2,
  pieceSecondsMin: 2,
  reserveSecondsMin: 2,
  swapSecondsMax: 2,
  stallSecondsMax: 1.5,
  loadSecondsMax: 3,
  retrySeconds: 1,
  signedSeconds: 20,
  signedSecondsMin: 4,
};
