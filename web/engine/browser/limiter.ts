/** Keeps peaks under -1 dBTP, softly; what is softer passes as it is. */

const THRESHOLD_DB = -4;
const RATIO = 20;
/** A compressor looks ahead so far in every browser (Chromium's DynamicsCompressor). */
export const LIMITER_SECONDS = 0.006;
/**
 * The compressor makes everything louder by itself (Web Audio API, 1.19: makeup gain, the full
 * range gain to the power of 0.6); without a knee it is known, and taken back.
 */
const MAKEUP_DB = 0.6 * -THRESHOLD_DB * (1 - 1 / RATIO);

export class Limiter {
  readonly input: DynamicsCompressorNode;

  constructor(context: BaseAudioContext, destination: AudioNode) {
    this.input = new DynamicsCompressorNode(context, {
      threshold: THRESHOLD_DB,
      ratio: RATIO,
      knee: 0,
      attack: 0.001,
      release: 0.2,
    });
    const back = new GainNode(context, { gain: 10 ** (-MAKEUP_DB / 20) });
    this.input.connect(back).connect(destination);
  }
}
