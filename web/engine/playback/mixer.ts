/** What sounds: one piece, or two during a crossfade; and what is read from it, in piece time. */

import type { Cancel, Clock } from "../clock";
import type { Deck, DeckEvent } from "../deck";
import type { DeckReading } from "../planner/state";
import type { Settings } from "../settings";
import type { Range } from "../snapshot";
import type { FadeShape } from "./curves";
import { slideSeconds } from "./loudness";
import type { OpenedDeck } from "./source-loader";
import { pause, within } from "./timing";

/** The clock and the sound card drift apart: a deck is released a little later. */
const GRACE_SECONDS = 0.04;
/** A fade that is not over by then is waited for so many times more, at most. */
const GRACES_MAX = 25;

/** A deck that sounds, and the segment that it plays. */
export interface Voice extends OpenedDeck {
  readonly segmentIndex: number;
  /** The level at which this piece is as loud as the others. */
  level: number;
  /** Its peaks are kept under -1 dBTP by a limiter. */
  readonly limited: boolean;
  /** Piece time at the beginning of the file. */
  readonly offsetSeconds: number;
  /** Seconds into the file at which it falls silent; null where that is its end, or not known. */
  readonly soundEndSeconds: number | null;
}

export class Mixer {
  sounding: Voice | null = null;
  /** Voices that fade out, and how to call their end off. */
  private readonly leaving = new Map<Voice, Cancel>();
  private waiting: (() => void)[] = [];
  private ducked: Voice | null = null;
  private cancelNext: Cancel = () => {};
  private unwatch = () => {};

  /** `onEvent` receives the deck events of the voice that sounds. */
  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
    private readonly onEvent: (event: DeckEvent) => void,
  ) {}

  /** Resolves when no voice is fading out any more: another one may start. */
  async untilFree(): Promise<void> {
    while (this.leaving.size > 0) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Fades in a deck that already plays silently, and fades out the voice before. Call after `untilFree`. */
  enter(voice: Voice, seconds: number, shape: FadeShape, settled: () => void): void {
    this.cancelNext();
    const before = this.sounding;
    this.sounding = voice;
    this.unwatch();
    this.unwatch = voice.deck.watch(this.onEvent);
    // The same music goes on: both fades may begin a little later, so that none begins in the past.
    const swaps = shape === "linear" && before !== null && before.deck.level > before.level / 2;
    const lead = swaps ? this.settings.swapLeadSeconds : 0;
    voice.deck.fade(voice.level, seconds, shape, lead);
    if (before) this.retire(before, seconds, shape, lead);
    this.cancelNext = this.onceAt(voice.deck, voice.level, lead + seconds, settled);
  }

  /** Voices that fade out are silent within `seconds`. */
  hurry(seconds: number): void {
    for (const voice of [...this.leaving.keys()]) this.retire(voice, seconds, "smooth");
  }

  /** Silent, then paused. */
  halt(seconds: number): void {
    this.cancelNext();
    this.hurry(seconds);
    const deck = this.sounding?.deck;
    if (!deck) return;
    deck.fade(0, seconds, "smooth");
    this.cancelNext = this.clock.after(seconds + GRACE_SECONDS, () => deck.pause());
  }

  /** Plays on from where it was paused. Rejects with TapNeeded or Superseded. */
  async resume(seconds: number, settled: () => void): Promise<void> {
    this.cancelNext();
    const voice = this.sounding;
    if (!voice) return;
    let called = false;
    this.cancelNext = () => {
      called = true;
    };
    await within(this.clock, this.settings.loadSecondsMax, voice.deck.play());
    if (called) return;
    this.ducked = null;
    voice.deck.fade(voice.level, seconds, "smooth");
    this.cancelNext = this.onceAt(voice.deck, voice.level, seconds, settled);
  }

  /** Towards another level, too slowly to be noticed. */
  slide(level: number): void {
    const voice = this.sounding;
    if (!voice || voice.level === level) return;
    voice.deck.fade(level, slideSeconds(voice.level, level, this.settings), "decibel");
    voice.level = level;
  }

  /** Fades to silence while playing on; resolves when silent, for a seek. */
  duck(seconds: number): Promise<void> {
    this.cancelNext();
    this.hurry(seconds);
    this.ducked = this.sounding;
    this.sounding?.deck.fade(0, seconds, "smooth");
    return pause(this.clock, seconds + GRACE_SECONDS);
  }

  /** Undoes `duck` when the seek was superseded. */
  unduck(seconds: number): void {
    const voice = this.sounding;
    if (voice && this.ducked === voice) voice.deck.fade(voice.level, seconds, "smooth");
    this.ducked = null;
  }

  /** The last fade of a journey; the voice stays until it is over. */
  close(seconds: number, closed: (pieceSeconds: number | null) => void): void {
    this.cancelNext();
    const deck = this.sounding?.deck;
    // A deck that cannot fade would be silent at once: it plays to the end.
    if (deck?.fades) deck.fade(0, seconds, "smooth");
    const close = () => {
      const pieceSeconds = this.sounding && positionOf(this.sounding);
      this.clear(0);
      closed(pieceSeconds);
    };
    this.cancelNext = deck?.fades
      ? this.onceAt(deck, 0, seconds, close)
      : this.clock.after(seconds + GRACE_SECONDS, close);
  }

  /** Fades out and releases everything. */
  clear(seconds: number): void {
    this.cancelNext();
    this.unwatch();
    this.hurry(seconds);
    if (this.sounding) this.retire(this.sounding, seconds, "smooth");
    this.sounding = null;
  }

  /** Whether this deck sounds or is fading out. */
  owns(deck: Deck): boolean {
    return [this.sounding, ...this.leaving.keys()].some((voice) => voice?.deck === deck);
  }

  private retire(voice: Voice, seconds: number, shape: FadeShape, lead = 0): void {
    this.leaving.get(voice)?.();
    voice.deck.fade(0, seconds, shape, lead);
    const letGo = () => this.letGo(voice);
    const { fades } = voice.deck;
    const cancel = fades
      ? this.onceAt(voice.deck, 0, lead + seconds, letGo)
      : this.clock.after(0, letGo);
    this.leaving.set(voice, cancel);
  }

  /**
   * Once a fade is over, which takes so long. A sound card that was held up is later than the clock
   * says: another fade would begin before this one, and to let go would be heard.
   */
  private onceAt(deck: Deck, level: number, seconds: number, then: () => void): Cancel {
    let graces = GRACES_MAX;
    const look = () => {
      graces -= 1;
      if (deck.level === level || graces < 0) return then();
      cancel = this.clock.after(GRACE_SECONDS, look);
    };
    let cancel = this.clock.after(seconds + GRACE_SECONDS, look);
    return () => cancel();
  }

  private letGo(voice: Voice): void {
    this.leaving.delete(voice);
    voice.release();
    for (const look of this.waiting.splice(0)) look();
  }
}

export interface Reach {
  /** What can be heard without waiting. */
  readonly buffered: Range | null;
  /** Where one may seek: what is buffered of a preview, all of a final. */
  readonly seekable: Range;
}

export function positionOf({ deck, offsetSeconds }: Voice): number {
  return offsetSeconds + deck.position;
}

export function readVoice(voice: Voice, isStale: boolean, settings: Settings): DeckReading {
  const { deck, offsetSeconds } = voice;
  const end = endOf(voice);
  const { buffered } = deck;
  // Where the browser reports no buffered range, the stall detector watches the position instead.
  const ahead = buffered ? buffered.toSeconds - deck.position : Infinity;
  const complete = deck.whole;
  return {
    pieceSeconds: positionOf(voice),
    fileEndSeconds: end === null ? null : offsetSeconds + end,
    sounds: deck.playing,
    bufferLow: !complete && ahead < settings.drySeconds,
    stale: isStale && !complete,
  };
}

export function reachOf(voice: Voice, settings: Settings): Reach {
  const { deck, offsetSeconds, source } = voice;
  const length = source.kind === "final" ? endOf(voice) : null;
  const here = { fromSeconds: deck.position, toSeconds: deck.position };
  const { buffered } = deck;
  const whole = length === null ? (buffered ?? here) : { fromSeconds: 0, toSeconds: length };
  // Seeking to the very end would leave no time to load what follows, or what has not come yet.
  const margin = length === null ? settings.drySeconds : 2 * settings.crossfadeSeconds;
  const last = Math.max(whole.toSeconds - margin, whole.fromSeconds);
  return {
    buffered: buffered && shift(buffered, offsetSeconds),
    seekable: shift({ fromSeconds: whole.fromSeconds, toSeconds: last }, offsetSeconds),
  };
}

/** Where its sound ends. The length of a stream is trusted only when all of it is loaded. */
function endOf({ source, deck, soundEndSeconds }: Voice): number | null {
  if (source.kind !== "final" && !deck.whole) return null;
  return deck.duration === null ? null : Math.min(deck.duration, soundEndSeconds ?? Infinity);
}

function shift({ fromSeconds, toSeconds }: Range, by: number): Range {
  return { fromSeconds: fromSeconds + by, toSeconds: toSeconds + by };
}
