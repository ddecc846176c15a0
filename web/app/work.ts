/** One piece of work at a time: the newest ends the one before. */

import type { Clock } from "../engine";
import type { TroubleKind } from "../supabase/trouble";
import { insist } from "./patience";

export interface WorkParts {
  readonly clock: Clock;
  readonly changed: () => void;
  /** Told of what no further try mends. Never of work that was ended. */
  readonly failed: (error: unknown) => void;
}

export class Work {
  /** A trouble that is being tried again by itself. */
  hiccup: TroubleKind | null = null;
  private controller = new AbortController();

  constructor(private readonly parts: WorkParts) {}

  begin(task: () => Promise<void>): void {
    this.end();
    this.controller = new AbortController();
    const { signal } = this.controller;
    task().catch((error) => {
      if (!signal.aborted) this.parts.failed(error);
    });
  }

  end(): void {
    this.controller.abort();
    this.hiccup = null;
  }

  /** For between two awaits: rejects where this work was ended meanwhile. */
  goOn(): void {
    this.controller.signal.throwIfAborted();
  }

  insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(call, {
      clock: this.parts.clock,
      signal: this.controller.signal,
      troubled: (trouble) => {
        this.hiccup = trouble?.kind ?? null;
        this.parts.changed();
      },
    });
  }
}
