/** The engine's public door. */

export { type BrowserDecksOptions, browserDecks } from "./browser/browser-decks";
export { systemClock } from "./browser/system-clock";
export type { Cancel, Clock } from "./clock";
export type { Bed, Deck, DeckEvent, DeckOutput, Decks, DecksEvent } from "./deck";
export type { Feed, FeedListener, FeedSubscription, Sign } from "./feed";
export { isPlayable } from "./planner/sources";
export { createPlayer, type Player, type PlayerParts } from "./player";
export type { PlayerError, ReportError } from "./player-error";
export type { Run, RunStatus, SecondTrack, Segment, SegmentStatus } from "./run";
export { SETTINGS, type Settings } from "./settings";
export type { GestureReason, Place, Range, Snapshot, StateName } from "./snapshot";
