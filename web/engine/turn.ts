/** One undertaking: once it is over it may touch nothing any more. */

import { attemptAll } from "./attempt-all";
import type { Clock } from "./clock";
import { Unplayable } from "./deck";

export class Turn {
  private ended = false;
  private readonly last: (() => void)[] = [];

  get over(): boolean {
    return this.ended;
  }

  /** Called once, when the turn ends; at once when it has. */
  whenOver(then: () => void): void {
    if (this.ended) then();
    else this.last.push(then);
  }

  end(): void {
    this.ended = true;
    attemptAll(...this.last.splice(0));
  }
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
