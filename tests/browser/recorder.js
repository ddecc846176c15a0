// Hands on what it hears, with the number of the first frame, some 10 ms at a time: what has not been
// handed on when the page suspends its output is never recorded.
const FRAMES = 512;

registerProcessor(
  "recorder",
  class extends AudioWorkletProcessor {
    samples = new Float32Array(FRAMES);
    filled = 0;

    process([[left, right]]) {
      if (left) for (let i = 0; i < left.length; i++) this.samples[this.filled + i] = (left[i] + right[i]) / 2;
      this.filled += 128;
      if (this.filled === FRAMES) {
        this.port.postMessage({ frame: currentFrame + 128 - FRAMES, samples: this.samples });
        this.samples = new Float32Array(FRAMES);
        this.filled = 0;
      }
      return true;
    }
  },
);
