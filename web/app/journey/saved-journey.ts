/** Saves the current journey in this browser, so that a reload restores it, paused. */

import type { Place } from "../../engine";
import type { Brief, RunRequest } from "../../supabase/runs";
import type { KeyValueStore } from "../browser/local-store";
import type { Ratings } from "./ratings";

/** What was under way: a request not answered yet, or a run, with a place once it has sounded. */
export interface SavedJourney {
  readonly request: RunRequest;
  readonly runId: string | null;
  readonly brief: Brief | null;
  readonly ratings: Ratings;
  readonly place: Place | null;
  readonly savedAt: number;
}

/** An older journey is not offered again. */
export const SAVED_MS_MAX = 12 * 3600 * 1000;
const NAME = "under-way";

export class SavedJourneyStore {
  constructor(
    private readonly store: KeyValueStore,
    private readonly now: () => number = Date.now,
  ) {}

  save(kept: Omit<SavedJourney, "savedAt">): void {
    this.store.write(NAME, JSON.stringify({ ...kept, savedAt: this.now() }));
  }

  read(): SavedJourney | null {
    const kept = parse(this.store.read(NAME));
    if (!kept || this.now() - kept.savedAt > SAVED_MS_MAX) return null;
    return kept;
  }

  remove(): void {
    this.store.remove(NAME);
  }
}

function parse(text: string | null): SavedJourney | null {
  try {
    const value = JSON.parse(text ?? "null") as SavedJourney | null;
    return value && typeof value.request?.presetKey === "string"
      ? { ...value, ratings: value.ratings ?? {} }
      : null;
  } catch {
    return null;
  }
}
