/** The clock of this browser, in seconds since 1970. */

import type { Cancel, Clock } from "../clock";

let latest = 0;

export const systemClock: Clock = {
  // performance.now() stands still while a laptop sleeps, and addresses expire meanwhile.
  now: () => {
    latest = Math.max(latest, Date.now() / 1000);
    return latest;
  },
  after(seconds: number, then: () => void): Cancel {
    const timer = setTimeout(then, seconds * 1000);
    return () => clearTimeout(timer);
  },
};
