/** The engine's public door. */

export { type BrowserDecksOptions, browserDecks } from "./browser/browser-decks";
export { systemClock } from "./browser/system-clock";
export type { Cancel, Clock } from "./clock";
export type { Bed, Deck, DeckEvent, Decks, DecksEvent, Way } from "./deck";
export type { Feed, FeedEars, Following, Sign } from "./feed";
export { createPlayer, type Player, type PlayerParts } from "./player";
export type { PlayerError, ReportError } from "./player-error";
export type { Run, RunStatus, SecondTrack, Segment, SegmentStatus } from "./run";
export { SETTINGS, type Settings } from "./settings";
export type { GestureReason, Place, Range, Snapshot, StateName } from "./snapshot";
export { isPlayable } from "./sources";
