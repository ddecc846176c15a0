/** A call that is worth trying again is tried again, with an end. */

import type { Clock } from "../engine";
import { Trouble } from "../supabase/trouble";

/** Seconds between tries; after the last the trouble is the caller's. About a minute in all. */
export const PAUSES_S = [1, 2, 4, 8, 8, 8, 8, 8, 8] as const;

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
  for (const pause of [...PAUSES_S, null]) {
    try {
      const answer = await call();
      patience.signal.throwIfAborted();
      if (troubled) patience.troubled(null);
      return answer;
    } catch (error) {
      patience.signal.throwIfAborted();
      if (!(error instanceof Trouble) || !error.passes || pause === null) throw error;
      troubled = true;
      patience.troubled(error);
      await wait(pause, patience);
    }
  }
  throw new Error("unreachable: the last try returns or throws");
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
