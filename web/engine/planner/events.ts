/** What may happen to a journey: wishes of the listener and the page, reports of the decks. */

import type { Standstill } from "../playback/stall-detector";
import type { Run } from "../run";
import type { Place } from "../snapshot";
import type { Kind } from "./sources";
import type { Journey, Step } from "./state";

export type UserAction =
  | { readonly event: "start" | "pause" | "resume" | "stop" | "previous" | "next" }
  | { readonly event: "restore"; readonly place: Place }
  | { readonly event: "run"; readonly run: Run }
  | { readonly event: "online"; readonly online: boolean }
  | { readonly event: "seek"; readonly pieceSeconds: number };

export type PlaybackEvent =
  /** The place, read from the deck that sounds; null while none does. */
  | { readonly event: "tick"; readonly heard: DeckReading | null }
  /** A piece comes in, as commanded. */
  | ({ readonly event: "sounded"; readonly index: number; readonly carried: number } & PieceStart)
  /** It is there, alone and at its level. */
  | { readonly event: "settled" }
  /** No source of what was commanded works now. */
  | { readonly event: "unplayable" }
  /** The swap was given up; `never`: the final ends before this place. */
  | { readonly event: "kept"; readonly never: boolean }
  | { readonly event: "sought"; readonly pieceSeconds: number }
  | { readonly event: "stalled" | "flowing" | "ended" | "lost" }
  /** What should move stands still, unsaid by the browser. */
  | { readonly event: "stuck"; readonly what: Standstill }
  /** A call, headphones pulled out; or the browser wants a tap. */
  | { readonly event: "interrupted" | "blocked" }
  /** The last fade is over, there; null where no piece could tell. */
  | { readonly event: "closed"; readonly pieceSeconds: number | null };

export interface DeckReading {
  readonly pieceSeconds: number;
  readonly fileEndSeconds: number | null;
  /** The deck plays, as it should. */
  readonly sounds: boolean;
  readonly bufferLow: boolean;
  readonly stale: boolean;
}

export interface PieceStart extends DeckReading {
  readonly kind: Kind;
  readonly previewing: boolean;
  /** Piece time of the segment that was left. */
  readonly leftAtSeconds: number;
}

/** One event, and the clock seconds at which it happened. */
export type JourneyEvent = (UserAction | PlaybackEvent) & { readonly at: number };

/** For every event of a family, what a step then is. */
export type Handlers<Family extends { readonly event: string }> = {
  readonly [Name in Family["event"]]: (
    state: Journey,
    event: Extract<Family, { readonly event: Name }> & { readonly at: number },
  ) => Step;
};
