/** All that a change of what sounds needs. */

import type { Addresses } from "./addresses";
import type { Aligner } from "./aligner";
import type { Clock } from "./clock";
import type { Report } from "./events";
import type { Mixer, Voice } from "./mixer";
import type { Opened } from "./opener";
import type { ReportError } from "./player-error";
import type { Preparer } from "./preparer";
import { hear } from "./reading";
import type { Settings } from "./settings";
import type { Turn } from "./turn";

export interface Orchestra {
  readonly clock: Clock;
  readonly addresses: Addresses;
  readonly mixer: Mixer;
  readonly preparer: Preparer;
  readonly aligner: Aligner;
  readonly settings: Settings;
  readonly tell: (report: Report) => void;
  readonly report: ReportError;
}

/** A deck that is open but not heard yet is let go when nobody wants it any more. */
export function ownUntilHeard({ mixer }: Orchestra, opened: Opened, turn: Turn): void {
  turn.whenOver(() => mixer.owns(opened.deck) || opened.giveBack());
}

/** Reports a voice that has just come in. */
export function announce(
  { addresses, settings, tell }: Orchestra,
  voice: Voice,
  carried: number,
  leftAtSeconds: number,
): void {
  const { kind, origin } = voice.source;
  const heard = hear(voice, addresses.isStale(voice.validUntil), settings);
  const previewing = origin === "preview_url";
  const index = voice.segmentIndex;
  tell({ event: "sounded", index, carried, kind, previewing, leftAtSeconds, ...heard });
}
