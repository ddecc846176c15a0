/** One piece of work at a time: the newest ends the one before. */

import type { Clock } from "../../engine";
import type { ServiceErrorKind } from "../../supabase/service-error";
import { retry } from "./retry";

export interface LatestTaskParts {
  readonly clock: Clock;
  readonly changed: () => void;
  /** Told of what no further try mends. Never of work that was ended. */
  readonly failed: (error: unknown) => void;
}

export class LatestTask {
  /** An error that is being retried. */
  retrying: ServiceErrorKind | null = null;
  private controller = new AbortController();

  constructor(private readonly parts: LatestTaskParts) {}

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
    this.retrying = null;
  }

  /** For between two awaits: rejects where this work was ended meanwhile. */
  throwIfEnded(): void {
    this.controller.signal.throwIfAborted();
  }

  retry<T>(call: () => Promise<T>): Promise<T> {
    return retry(call, {
      clock: this.parts.clock,
      signal: this.controller.signal,
      onRetry: (error) => {
        this.retrying = error?.kind ?? null;
        this.parts.changed();
      },
    });
  }
}
