/** Every limit of the engine; the name ends in its unit. Tests use shorter ones. */

export interface Settings {
  /** A journey lasts 18 to 24 minutes, always. */
  readonly journeySecondsMin: number;
  readonly journeySecondsMax: number;
  /** Between pieces, and when one is carried on: equal power. */
  readonly crossfadeSeconds: number;
  /** Preview to final: linear, at the same position; 150 to 200 ms. */
  readonly swapSeconds: number;
  /**
   * Both fades of a swap begin so much later: the clock of a busy Firefox is told up to 200 ms
   * late, and what begins in the past loses its first part.
   */
  readonly swapLeadSeconds: number;
  /** A swap that is not aligned by then is given up for now. */
  readonly swapSecondsMax: number;
  /** The same place twice: beyond this the incoming is corrected, once. */
  readonly driftSecondsMax: number;
  readonly firstFadeSeconds: number;
  /** After a pause or a seek. */
  readonly againFadeSeconds: number;
  readonly closingFadeSeconds: number;
  readonly pauseRampSeconds: number;
  readonly stopRampSeconds: number;
  readonly bedInSeconds: number;
  readonly bedOutSeconds: number;
  /** When a piece fails or runs dry the bed comes in quickly. */
  readonly bedCoverSeconds: number;
  /** What follows is loaded this long before it is due; the next piece as soon as can be. */
  readonly prepareSeconds: number;
  /** A track that carries a piece on is heard at least this long. */
  readonly carriedSecondsMin: number;
  /** A file shorter than planned by no more than this is let go at its end. */
  readonly shortSecondsMax: number;
  /** A late piece that could only be heard for less is not begun. */
  readonly pieceSecondsMin: number;
  /** A piece of the reserve is heard at least this long before the listener's own takes over. */
  readonly reserveSecondsMin: number;
  /** Less buffered than this, and the bed comes in before the silence does. */
  readonly drySeconds: number;
  /** A stall that lasts longer means: try another source. */
  readonly stallSecondsMax: number;
  /** What should move and does not for so long stands still, whatever the browser says. */
  readonly standstillSeconds: number;
  /** Once more within this time, and it is not the file that is at fault. */
  readonly standstillAgainSeconds: number;
  /** A source that cannot be played from after this long is given up for now. */
  readonly loadSecondsMax: number;
  /** After every source failed, and after a swap was given up. */
  readonly retrySeconds: number;
  /** How long a signed address is valid (docs/specification.md#sign-track), from its signing. */
  readonly signedSeconds: number;
  /** With less left, an address is signed anew before a deck loads it. */
  readonly signedSecondsMin: number;
  readonly targetLufs: number;
  /** What a piece that was not measured is taken for. */
  readonly assumedLufs: number;
  readonly gainDbMin: number;
  readonly gainDbMax: number;
  readonly truePeakDbtpMax: number;
  readonly slideDbPerSecond: number;
  /** How often the place is read while playing. */
  readonly tickSeconds: number;
  /** 0..1 at first. */
  readonly volume: number;
  readonly bedOn: boolean;
}

export const SETTINGS: Settings = {
  journeySecondsMin: 1080,
  journeySecondsMax: 1440,
  crossfadeSeconds: 4,
  swapSeconds: 0.18,
  swapLeadSeconds: 0.15,
  swapSecondsMax: 5,
  driftSecondsMax: 0.005,
  firstFadeSeconds: 3,
  againFadeSeconds: 1.5,
  closingFadeSeconds: 8,
  pauseRampSeconds: 0.15,
  stopRampSeconds: 0.02,
  bedInSeconds: 0.9,
  bedOutSeconds: 3,
  bedCoverSeconds: 0.3,
  prepareSeconds: 45,
  carriedSecondsMin: 20,
  shortSecondsMax: 2,
  pieceSecondsMin: 30,
  reserveSecondsMin: 20,
  drySeconds: 1,
  stallSecondsMax: 8,
  standstillSeconds: 2,
  standstillAgainSeconds: 30,
  loadSecondsMax: 15,
  retrySeconds: 5,
  signedSeconds: 3600,
  signedSecondsMin: 120,
  targetLufs: -18,
  assumedLufs: -14,
  gainDbMin: -12,
  gainDbMax: 14,
  truePeakDbtpMax: -1,
  slideDbPerSecond: 0.5,
  tickSeconds: 0.25,
  volume: 0.7,
  bedOn: true,
};
