/** A deck that is an element by itself: any host, and sound while the screen is locked (iOS). */

import { attemptAll } from "../errors";
import { type Fade, type FadeShape, hold, levelAt } from "../playback/curves";
import { ElementDeck } from "./element-deck";
import { canSetVolume } from "./platform";
import type { StartQuirks } from "./start-quirks";

const STEP_MS = 16;

/** How loud everything is to be: the decks' own. */
export interface Master {
  readonly volume: number;
  readonly muted: boolean;
}

/** The volume of an element, moved in small steps; where it cannot be set, muted or not. */
export class SteppedVolume {
  readonly fades: boolean;
  private fading: Fade = hold(0);
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly element: HTMLAudioElement,
    private readonly master: Master,
  ) {
    this.fades = canSetVolume(element);
    this.apply();
  }

  get level(): number {
    return levelAt(this.fading, now());
  }

  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    const from = this.level;
    const startSeconds = now() + afterSeconds;
    const fade = { from, to: level, startSeconds, seconds, shape };
    this.fading = this.fades ? fade : hold(level);
    clearInterval(this.timer);
    this.apply();
    if (seconds > 0 && this.fades) this.timer = setInterval(() => this.step(), STEP_MS);
  }

  /** After the master has changed, too. */
  apply(): void {
    const { level, element, master } = this;
    // Each for itself: where one is refused, the other still makes it silent.
    attemptAll(
      () => {
        element.muted = master.muted || (!this.fades && level === 0);
      },
      () => {
        if (this.fades) element.volume = Math.min(level * master.volume, 1);
      },
    );
  }

  /** At this level this very moment. */
  set(level: number): void {
    clearInterval(this.timer);
    this.fading = hold(level);
    this.apply();
  }

  private step(): void {
    const { level } = this;
    // A step that the browser refuses is made up for by the next.
    this.apply();
    if (level === this.fading.to) clearInterval(this.timer);
  }
}

export class PlainDeck extends ElementDeck {
  readonly output = "plain";
  readonly latency = 0;
  private readonly volume: SteppedVolume;

  constructor(master: Master, quirks: StartQuirks) {
    super(quirks);
    this.volume = new SteppedVolume(this.element, master);
  }

  get fades(): boolean {
    return this.volume.fades;
  }

  get level(): number {
    return this.volume.level;
  }

  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    this.volume.fade(level, seconds, shape, afterSeconds);
  }

  /** An element can only be softer than its file, so that no peak grows. */
  limit(_on: boolean): void {}

  recentSamples(): null {
    return null;
  }

  protected mute(): void {
    this.volume.set(0);
  }

  /** The master has changed. */
  follow(): void {
    this.volume.apply();
  }
}

function now(): number {
  return performance.now() / 1000;
}
