/** Retries calls that may succeed later, with a bound; and runs one task at a time. */

import type { Clock } from "../../engine";
import { ServiceError, type ServiceErrorKind } from "../../supabase/service-error";

/**
 * Seconds between tries; after the last the error is thrown, about a minute in all. Where
 * nothing was reached, the network comes back some time: the last pause is repeated without end.
 */
export const PAUSES_S = [1, 2, 4, 8, 8, 8, 8, 8, 8] as const;
/** Where Auth lets in no more people behind one address: it counts by the minute and the hour. */
export const RATE_LIMITED_PAUSES_S = [5, 15, 30, 60] as const;
const PAUSE_S_MAX = Math.max(...PAUSES_S);

export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the waiting: the listener stopped. */
  readonly signal: AbortSignal;
  /** Told of each error that is retried, and once more with null when it has passed. */
  readonly onRetry: (error: ServiceError | null) => void;
}

/** Rejects with the signal's reason, or with the last error. */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  let retried = false;
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await call();
      options.signal.throwIfAborted();
      if (retried) options.onRetry(null);
      return answer;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof ServiceError)) throw error;
      const pause = backoff(tries, error);
      if (pause === null) throw error;
      retried = true;
      options.onRetry(error);
      await wait(pause, options);
    }
  }
}

function backoff(tries: number, { kind, transient }: ServiceError): number | null {
  if (!transient) return null;
  if (kind === "rate-limited") return RATE_LIMITED_PAUSES_S[tries] ?? null;
  return PAUSES_S[tries] ?? (kind === "unreachable" ? PAUSE_S_MAX : null);
}

function wait(seconds: number, { clock, signal }: RetryOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(seconds, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

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
