/** A deck in a graph: its level moves on the sound card's own clock. */

import type { FadeShape } from "../curves";
import type { Samples } from "../lag";
import { ElementDeck } from "./element-deck";
import { LIMITER_SECONDS, Limiter } from "./limiter";
import { SmoothGain } from "./smooth-gain";

/** The most that an analyser keeps: seven tenths of a second. */
const EAR_SAMPLES = 32_768;

export class WebAudioDeck extends ElementDeck {
  readonly way = "graph";
  readonly fades = true;
  private readonly gain: SmoothGain;
  private readonly tap: AnalyserNode;
  private readonly heard = new Float32Array(EAR_SAMPLES);

  private limiter: Limiter | null = null;
  private limited = false;

  constructor(
    private readonly context: AudioContext,
    private readonly destination: AudioNode,
  ) {
    super();
    this.tap = new AnalyserNode(context, { fftSize: EAR_SAMPLES });
    // Before any address: without it a graph hears nothing of another host.
    this.element.crossOrigin = "anonymous";
    this.gain = new SmoothGain(context);
    const source = context.createMediaElementSource(this.element);
    source.connect(this.tap);
    source.connect(this.gain.node);
    this.gain.connect(destination);
  }

  get level(): number {
    return this.gain.level;
  }

  fade(level: number, seconds: number, shape: FadeShape): void {
    this.gain.fade(level, seconds, shape);
  }

  limit(on: boolean): void {
    if (on) this.limiter ??= new Limiter(this.context, this.destination);
    this.gain.reconnect(on && this.limiter ? this.limiter.input : this.destination);
    this.limited = on;
  }

  get latency(): number {
    return this.limited ? LIMITER_SECONDS : 0;
  }

  hear(): Samples {
    this.tap.getFloatTimeDomainData(this.heard);
    return { samples: this.heard, rate: this.tap.context.sampleRate };
  }

  protected mute(): void {
    this.gain.silence();
  }
}
