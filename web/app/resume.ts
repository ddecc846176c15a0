/** A journey under way is kept in this browser, so that a reload gives it back, paused. */

import type { Place } from "../engine";
import type { Brief, Wish } from "../supabase/runs";
import type { Memory } from "./memory";
import type { Ratings } from "./ratings";

/** What was under way: a wish not answered yet, or a run, with a place once it has sounded. */
export interface Kept {
  readonly wish: Wish;
  readonly runId: string | null;
  readonly brief: Brief | null;
  readonly ratings: Ratings;
  readonly place: Place | null;
  readonly savedAt: number;
}

/** After half a day nobody wants to be asked where they stopped. */
export const KEPT_MS = 12 * 3600 * 1000;
const NAME = "under-way";

export class Resume {
  constructor(
    private readonly memory: Memory,
    private readonly now: () => number = Date.now,
  ) {}

  keep(kept: Omit<Kept, "savedAt">): void {
    this.memory.write(NAME, JSON.stringify({ ...kept, savedAt: this.now() }));
  }

  read(): Kept | null {
    const kept = parse(this.memory.read(NAME));
    if (!kept || this.now() - kept.savedAt > KEPT_MS) return null;
    return kept;
  }

  forget(): void {
    this.memory.forget(NAME);
  }
}

function parse(text: string | null): Kept | null {
  try {
    const value = JSON.parse(text ?? "null") as Kept | null;
    return value && typeof value.wish?.presetKey === "string"
      ? { ...value, ratings: value.ratings ?? {} }
      : null;
  } catch {
    return null;
  }
}
