/** Abort listeners and time limits. */

import type { Clock } from "../clock";
import { Unplayable } from "../deck";

/** Calls `then` once, when the signal is aborted; at once if it already is. */
export function onAbort(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true });
}

/** The promise, or Unplayable when it takes longer than it may. */
export function within<T>(clock: Clock, seconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(seconds, () => reject(new Unplayable(`not within ${seconds} s`)));
    promise.then(resolve, reject).finally(cancel);
  });
}

export function pause(clock: Clock, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(Math.max(seconds, 0), resolve);
  });
}
