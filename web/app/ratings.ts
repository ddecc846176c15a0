/** What the ratings decide, and all they decide: whether help comes first. */

import type { Ratings } from "./listening";

const HIGH = 8;
const HIGHER_BY = 2;

/** The latest rating is 8 or more, or at least 2 above the first. No rating, no conclusion. */
export function helpFirst({ suds_start, suds_mid, suds_end }: Ratings): boolean {
  const latest = suds_end ?? suds_mid ?? suds_start;
  if (latest === undefined) return false;
  return latest >= HIGH || (suds_start !== undefined && latest - suds_start >= HIGHER_BY);
}
