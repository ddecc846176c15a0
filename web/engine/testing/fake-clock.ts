/** A clock that stands still until it is told to go on. */

import type { Cancel, Clock } from "../clock";

interface Timer {
  readonly at: number;
  readonly then: () => void;
}

/** Enough turns of the queue for every promise that a timer settles. */
const TURNS = 16;

export class FakeClock implements Clock {
  private timers: Timer[] = [];
  private time = 0;

  /** `settle` resolves when all that was promised has happened. */
  constructor(private readonly settle: () => Promise<unknown> = turns) {}

  now(): number {
    return this.time;
  }

  after(seconds: number, then: () => void): Cancel {
    const timer = { at: this.time + Math.max(seconds, 0), then };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, one timer after the other, each with all that follows from it. */
  async advance(seconds: number): Promise<void> {
    const until = this.time + seconds;
    await this.settle();
    for (let timer = this.next(until); timer; timer = this.next(until)) {
      this.time = timer.at;
      this.timers = this.timers.filter((other) => other !== timer);
      timer.then();
      await this.settle();
    }
    this.time = until;
  }

  /** How many timers are still waiting. */
  get pending(): number {
    return this.timers.length;
  }

  private next(until: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.at <= until && (!earliest || timer.at < earliest.at)) earliest = timer;
    }
    return earliest;
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await Promise.resolve();
}
