/** A call that is worth trying again is tried again, with an end. */

import type { Clock } from "../engine";
import { Trouble } from "../supabase/trouble";

/**
 * Seconds between tries; after the last the trouble is the caller's, about a minute in all. Where
 * nothing was reached, the network comes back some time: the last pause is repeated without end.
 */
export const PAUSES_S = [1, 2, 4, 8, 8, 8, 8, 8, 8] as const;
/** Where Auth lets in no more people behind one address: it counts by the minute and the hour. */
export const CROWDED_PAUSES_S = [5, 15, 30, 60] as const;
const PAUSE_S_MAX = Math.max(...PAUSES_S);

export interface Patience {
  readonly clock: Clock;
  /** Ends the waiting: the listener stopped. */
  readonly signal: AbortSignal;
  /** Told of each trouble that passes, and once more with null when it has passed. */
  readonly troubled: (trouble: Trouble | null) => void;
}

/** Rejects with the signal's reason, or with the last trouble. */
export async function insist<T>(call: () => Promise<T>, patience: Patience): Promise<T> {
  let troubled = false;
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await call();
      patience.signal.throwIfAborted();
      if (troubled) patience.troubled(null);
      return answer;
    } catch (error) {
      patience.signal.throwIfAborted();
      if (!(error instanceof Trouble)) throw error;
      const pause = pauseAfter(tries, error);
      if (pause === null) throw error;
      troubled = true;
      patience.troubled(error);
      await wait(pause, patience);
    }
  }
}

function pauseAfter(tries: number, { kind, passes }: Trouble): number | null {
  if (!passes) return null;
  if (kind === "crowded") return CROWDED_PAUSES_S[tries] ?? null;
  return PAUSES_S[tries] ?? (kind === "unreachable" ? PAUSE_S_MAX : null);
}

function wait(seconds: number, { clock, signal }: Patience): Promise<void> {
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
