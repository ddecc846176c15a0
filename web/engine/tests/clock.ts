/** Fake time in which everything promised has happened before time goes on. */

import { FakeClock } from "../testing/fake-clock";

export function newClock(): FakeClock {
  return new FakeClock(() => new Promise((resolve) => setImmediate(resolve)));
}
