/** A deck through Web Audio: its fades run on the clock of the audio context. */

import { Unplayable } from "../deck";
import type { Samples } from "../playback/cross-correlation";
import type { FadeShape } from "../playback/curves";
import { ElementDeck } from "./element-deck";
import { LIMITER_SECONDS, Limiter } from "./limiter";
import type { OutputClock } from "./output-clock";
import { SmoothGain } from "./smooth-gain";
import type { StartQuirks } from "./start-quirks";

/** The most that an analyser keeps: seven tenths of a second. */
const EAR_SAMPLES = 32_768;
/** The farthest that it can be held back: what opens quickly begins as much too early. */
const HELD_SECONDS_MAX = 3;

export class WebAudioDeck extends ElementDeck {
  readonly output = "graph";
  readonly fades = true;
  private readonly gain: SmoothGain;
  private readonly delay: DelayNode;
  private readonly tap: AnalyserNode;
  private readonly heard = new Float32Array(EAR_SAMPLES);

  private limiter: Limiter | null = null;
  private limited = false;
  private heldSeconds = 0;

  constructor(
    private readonly context: AudioContext,
    private readonly destination: AudioNode,
    clock: OutputClock,
    quirks: StartQuirks,
  ) {
    super(quirks);
    this.delay = new DelayNode(context, { maxDelayTime: HELD_SECONDS_MAX });
    this.tap = new AnalyserNode(context, { fftSize: EAR_SAMPLES });
    // Before any address: without it a graph hears nothing of another host.
    this.element.crossOrigin = "anonymous";
    this.gain = new SmoothGain(context, clock);
    const source = context.createMediaElementSource(this.element);
    source.connect(this.delay);
    this.delay.connect(this.tap);
    this.delay.connect(this.gain.node);
    this.gain.connect(destination);
  }

  get level(): number {
    return this.gain.level;
  }

  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    this.gain.fade(level, seconds, shape, afterSeconds);
  }

  limit(on: boolean): void {
    if (on) this.limiter ??= new Limiter(this.context, this.destination);
    this.gain.reconnect(on && this.limiter ? this.limiter.input : this.destination);
    this.limited = on;
  }

  get latency(): number {
    return this.limited ? LIMITER_SECONDS : 0;
  }

  /** What is ahead is held back, to the sample; only what is behind needs another speed. */
  override async nudge(seconds: number): Promise<void> {
    const held = this.heldSeconds - seconds;
    if (held >= 0 && held <= HELD_SECONDS_MAX) return this.hold(held);
    if (this.quirks.startsLate) throw new Unplayable("its speed cannot be changed");
    return super.nudge(seconds);
  }

  recentSamples(): Samples {
    this.tap.getFloatTimeDomainData(this.heard);
    return { samples: this.heard, rate: this.tap.context.sampleRate };
  }

  protected override get held(): number {
    return this.heldSeconds;
  }

  protected override release(): void {
    if (this.heldSeconds > 0) this.hold(0);
  }

  private hold(seconds: number): void {
    const { sampleRate } = this.context;
    const whole = Math.round(seconds * sampleRate) / sampleRate;
    this.delay.delayTime.value = whole;
    this.heldSeconds = whole;
  }

  protected mute(): void {
    this.gain.silence();
  }
}
