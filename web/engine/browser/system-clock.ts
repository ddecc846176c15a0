/** The clock of this browser. */

import type { Cancel, Clock } from "../clock";

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  after(seconds: number, then: () => void): Cancel {
    const timer = setTimeout(then, seconds * 1000);
    return () => clearTimeout(timer);
  },
};
