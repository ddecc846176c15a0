/** Addresses that a deck can load now; those of stored tracks are signed for an hour. */

import type { Clock } from "../clock";
import type { Sign } from "../feed";
import type { Source } from "../planner/sources";
import type { Settings } from "../settings";
import { within } from "../turn";

export interface SourceUrl {
  readonly url: string;
  /** Clock seconds; null where no end is known. */
  readonly validUntil: number | null;
}

export class SignedUrls {
  private readonly signed = new Map<string, SourceUrl>();

  constructor(
    private readonly clock: Clock,
    private readonly sign: Sign,
    private readonly settings: Settings,
  ) {}

  /** The address of a source; `anew` signs even where one is still valid. May reject. */
  async urlFor(source: Source, anew: boolean): Promise<SourceUrl> {
    if (source.url !== null) return { url: source.url, validUntil: null };
    const known = this.signed.get(source.segmentId);
    if (known && !anew && !this.isStale(known.validUntil)) return known;
    // Counted from before the asking: the service signs a little later. The token is not read.
    const validUntil = this.clock.now() + this.settings.signedSeconds;
    const url = await within(this.clock, this.settings.loadSecondsMax, this.sign(source.segmentId));
    const address = { url, validUntil };
    this.signed.set(source.segmentId, address);
    return address;
  }

  isStale(validUntil: number | null): boolean {
    return validUntil !== null && validUntil - this.clock.now() < this.settings.signedSecondsMin;
  }
}
