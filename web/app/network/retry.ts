/** A call that is worth trying again is tried again, with an end. */

import type { Clock } from "../../engine";
import { ServiceError } from "../../supabase/service-error";

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
