/** A deck in a graph: its level moves on the sound card's own clock. */

import { curveOf, type Fade, type FadeShape, hold, levelAt } from "../curves";
import type { Samples } from "../lag";
import { ElementDeck } from "./element-deck";

/** Sound is made in blocks ahead of time: a fade that begins now would begin in a past one. */
const AHEAD_SECONDS_MIN = 0.01;
const AHEAD_SECONDS_MAX = 0.025;
const POINTS_PER_SECOND = 400;
const POINTS_MIN = 33;
const POINTS_MAX = 2049;

/** The most that an analyser keeps: seven tenths of a second. */
const EAR_SAMPLES = 32_768;

/** A gain whose fades may replace each other without a step. */
export class SmoothGain {
  readonly node: GainNode;
  private fading: Fade = hold(0);

  constructor(private readonly context: AudioContext) {
    this.node = context.createGain();
    this.node.gain.value = 0;
  }

  get level(): number {
    return levelAt(this.fading, this.context.currentTime);
  }

  private get ahead(): number {
    return Math.min(Math.max(this.context.baseLatency, AHEAD_SECONDS_MIN), AHEAD_SECONDS_MAX);
  }

  fade(level: number, seconds: number, shape: FadeShape): void {
    const param = this.node.gain;
    const holds = typeof param.cancelAndHoldAtTime === "function";
    const startSeconds = this.context.currentTime + (holds ? this.ahead : 0);
    const from = levelAt(this.fading, startSeconds);
    const fade: Fade = { from, to: level, startSeconds, seconds, shape };
    this.fading = seconds > 0 ? fade : hold(level);
    if (holds) {
      param.cancelAndHoldAtTime(startSeconds);
    } else {
      param.cancelScheduledValues(startSeconds);
      param.setValueAtTime(from, startSeconds);
    }
    if (seconds > 0) param.setValueCurveAtTime(drawn(fade), startSeconds, seconds);
    else param.setValueAtTime(level, startSeconds);
  }
}

export class WebAudioDeck extends ElementDeck {
  readonly way = "graph";
  readonly fades = true;
  private readonly gain: SmoothGain;
  private readonly tap: AnalyserNode;
  private readonly heard = new Float32Array(EAR_SAMPLES);

  constructor(context: AudioContext, destination: AudioNode) {
    super();
    this.tap = new AnalyserNode(context, { fftSize: EAR_SAMPLES });
    // Before any address: without it a graph hears nothing of another host.
    this.element.crossOrigin = "anonymous";
    this.gain = new SmoothGain(context);
    const source = context.createMediaElementSource(this.element);
    source.connect(this.tap);
    source.connect(this.gain.node);
    this.gain.node.connect(destination);
  }

  get level(): number {
    return this.gain.level;
  }

  fade(level: number, seconds: number, shape: FadeShape): void {
    this.gain.fade(level, seconds, shape);
  }

  hear(): Samples {
    this.tap.getFloatTimeDomainData(this.heard);
    return { samples: this.heard, rate: this.tap.context.sampleRate };
  }
}

function drawn(fade: Fade): Float32Array<ArrayBuffer> {
  const wanted = Math.round(fade.seconds * POINTS_PER_SECOND);
  return new Float32Array(curveOf(fade, Math.min(Math.max(wanted, POINTS_MIN), POINTS_MAX)));
}
