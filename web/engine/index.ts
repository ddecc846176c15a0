/** The public interface of the engine. */

export { type BrowserDecksOptions, browserDecks } from "./browser/browser-decks";
export { systemClock } from "./browser/system-clock";
export type { Cancel, Clock } from "./clock";
export type { Bed, Deck, DeckEvent, DeckOutput, Decks, DecksEvent } from "./deck";
export type { PlayerError, ReportError } from "./errors";
export { isPlayable } from "./planner/sources";
export { createPlayer, type Player, type PlayerParts } from "./player";
export type { FindReserve, ReservePiece } from "./reserve";
export type {
  Feed,
  FeedListener,
  FeedSubscription,
  Run,
  RunStatus,
  SecondTrack,
  Segment,
  SegmentStatus,
  Sign,
} from "./run";
export { SETTINGS, type Settings } from "./settings";
export type { GestureReason, Place, Range, Snapshot, StateName } from "./snapshot";
