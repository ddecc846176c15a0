/** A fake clock that lets all promises settle before time advances. */

import { FakeClock } from "../testing/fake-clock";

export function newClock(): FakeClock {
  return new FakeClock(() => new Promise((resolve) => setImmediate(resolve)));
}
