/** A gain node whose fades may replace each other without a click, in every browser. */

import { attemptAll } from "../errors";
import { type Fade, type FadeShape, hold, levelOnRamps, rampsOf } from "../playback/curves";
import type { OutputClock } from "./output-clock";

/** Sound is made in blocks ahead of time: a fade that begins now would begin in a past one. */
const AHEAD_SECONDS_MIN = 0.01;
const AHEAD_SECONDS_MAX = 0.025;

export class SmoothGain {
  readonly node: GainNode;
  /** The one under way, and those that are to follow it, by their beginnings. */
  private fades: readonly Fade[] = [hold(0)];
  private destination: AudioNode | null = null;
  private connected = false;

  /** clock: the context's, for fades that begin later. */
  constructor(
    private readonly context: BaseAudioContext & { readonly baseLatency?: number },
    private readonly clock?: OutputClock,
  ) {
    this.node = context.createGain();
    // An event to begin from: ramps start where the one before ends.
    this.node.gain.setValueAtTime(0, context.currentTime);
  }

  connect(destination: AudioNode): void {
    this.node.connect(destination);
    this.destination = destination;
    this.connected = true;
  }

  /** To another destination; while it is silent, or there is a click. */
  reconnect(destination: AudioNode): void {
    if (destination === this.destination) return;
    this.node.disconnect();
    this.connect(destination);
  }

  get level(): number {
    return this.connected ? this.levelAt(this.context.currentTime) : 0;
  }

  /**
   * What was to follow the fade under way is forgotten. Throws where neither a fade nor a step to
   * the level can be had.
   */
  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    if (level > 0 && !this.connected && this.destination) this.connect(this.destination);
    const { currentTime } = this.context;
    const now = afterSeconds > 0 && this.clock ? this.clock.now() : currentTime;
    const startSeconds = now + Math.max(this.ahead, afterSeconds);
    const from = this.levelAt(startSeconds);
    const fade: Fade = { from, to: level, startSeconds, seconds, shape };
    try {
      this.schedule(fade);
      const before = this.fades.filter((one) => one.startSeconds < startSeconds);
      const past = before.filter((one) => one.startSeconds <= currentTime);
      this.fades = [...before.slice(Math.max(past.length - 1, 0)), fade];
    } catch {
      this.step(level);
    }
  }

  /** Silent this very moment: by its level, else by its connection. Throws where neither works. */
  silence(): void {
    try {
      this.step(0);
    } catch {
      this.node.disconnect();
      this.connected = false;
    }
  }

  /** At this level this very moment. */
  private step(level: number): void {
    const { gain } = this.node;
    attemptAll(
      () => gain.cancelScheduledValues(0),
      () => {
        gain.value = level;
      },
    );
    this.fades = [hold(level)];
  }

  private levelAt(seconds: number): number {
    const begun = this.fades.filter((one) => one.startSeconds <= seconds);
    return levelOnRamps(begun.at(-1) ?? this.fades[0] ?? hold(0), seconds);
  }

  /**
   * Ramps only: unlike curves they may follow each other at any time, and those that are cancelled
   * leave no trace. The first one ends where the fade before would have been: without it the level
   * would fall back to where the ramp that is cut began.
   */
  private schedule(fade: Fade): void {
    const { gain } = this.node;
    const { from, to, startSeconds, seconds } = fade;
    gain.cancelScheduledValues(startSeconds);
    gain.linearRampToValueAtTime(from, startSeconds);
    if (seconds <= 0) gain.setValueAtTime(to, startSeconds);
    else {
      for (const { level, atSeconds } of rampsOf(fade)) {
        gain.linearRampToValueAtTime(level, atSeconds);
      }
    }
  }

  private get ahead(): number {
    const { baseLatency = 0 } = this.context;
    return Math.min(Math.max(baseLatency, AHEAD_SECONDS_MIN), AHEAD_SECONDS_MAX);
  }
}
