/** What a listener says about how hard it is, 0-10: written to the run, never scored back. */

import type { Backend } from "../../supabase/backend";
import type { SudsMoment } from "../../supabase/runs";
import { asServiceError } from "../../supabase/service-error";

export type Ratings = Readonly<Partial<Record<SudsMoment, number>>>;

const HIGH = 8;
const HIGHER_BY = 2;

/**
 * All that the ratings decide: help comes first when the latest is 8 or more, or at least 2 above
 * the first. No rating, no conclusion.
 */
export function helpFirst({ suds_start, suds_mid, suds_end }: Ratings): boolean {
  const latest = suds_end ?? suds_mid ?? suds_start;
  if (latest === undefined) return false;
  return latest >= HIGH || (suds_start !== undefined && latest - suds_start >= HIGHER_BY);
}

export class RatingWriter {
  given: Ratings = {};
  /** The last one could not be written. */
  failed = false;
  private runId: string | null = null;

  constructor(
    private readonly backend: Promise<Backend>,
    private readonly changed: () => void,
    private readonly onInternalError: (error: unknown) => void,
  ) {}

  /** Another journey begins, with what is known of it. */
  open(given: Ratings): void {
    this.given = given;
    this.failed = false;
    this.runId = null;
  }

  /** The run exists; what was said before is written now. */
  bind(runId: string, write: boolean): void {
    this.runId = runId;
    if (write) void this.write(this.given);
  }

  rate(moment: SudsMoment, value: number): void {
    this.given = { ...this.given, [moment]: value };
    void this.write({ [moment]: value });
    this.changed();
  }

  private async write(ratings: Ratings): Promise<void> {
    const { runId } = this;
    if (!runId) return;
    try {
      const { runs } = await this.backend;
      const rated = Object.entries(ratings) as [SudsMoment, number][];
      for (const [moment, value] of rated) await runs.rate(runId, moment, value);
      this.failed = false;
    } catch (error) {
      this.failed = true;
      if (asServiceError(error).kind === "internal") this.onInternalError(error);
    }
    this.changed();
  }
}
