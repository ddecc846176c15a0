import fc from "fast-check";
import { expect, test } from "vitest";
import { SmoothGain } from "../browser/smooth-gain";
import type { FadeShape } from "../playback/curves";
import { FakeAudioParam } from "../testing/fake-audio-param";

/** A block of 128 samples at 48 kHz: a context's time moves in these. */
const BLOCK_SECONDS = 128 / 48_000;

class FakeGraph {
  currentTime = 0;
  baseLatency = 0.01;
  readonly refused = new Set<string>();
  readonly param: FakeAudioParam;
  disconnected = false;
  readonly gain: SmoothGain;

  constructor() {
    this.param = new FakeAudioParam(
      () => this.currentTime,
      1,
      (call) => this.refuse(call),
    );
    const node = {
      gain: this.param,
      connect: () => {
        this.disconnected = false;
      },
      disconnect: () => {
        this.disconnected = true;
      },
    };
    const context = { createGain: () => node, baseLatency: this.baseLatency };
    const now = () => this.currentTime;
    Object.defineProperty(context, "currentTime", { get: now });
    this.gain = new SmoothGain(context as unknown as AudioContext);
    this.gain.connect(node as unknown as AudioNode);
  }

  /** Time passes in whole blocks. */
  pass(seconds: number): void {
    this.currentTime += Math.ceil(seconds / BLOCK_SECONDS) * BLOCK_SECONDS;
  }

  private refuse(call: string): void {
    if (this.refused.has(call)) throw new DOMException(call, "NotSupportedError");
  }
}

const CURVE = new Float32Array([0, 1]);

test("the fake refuses what browsers refuse: a curve held, then another at the same moment", () => {
  const param = new FakeAudioParam(() => 0, 0);
  param.setValueCurveAtTime(CURVE, 0.15, 0.9);
  param.cancelAndHoldAtTime(0.45);
  expect(() => param.setValueCurveAtTime(CURVE, 0.45, 0.02)).toThrow("overlap");
});

test("the fake refuses a value in the middle of a curve, as Firefox does", () => {
  const param = new FakeAudioParam(() => 0, 0);
  param.setValueCurveAtTime(CURVE, 0.15, 0.9);
  expect(() => param.setValueAtTime(1, 0.45)).toThrow("overlap");
});

test("the fake falls back to the event before when a ramp is cancelled, as browsers do", () => {
  const param = new FakeAudioParam(() => 0, 0);
  param.setValueAtTime(0, 0);
  param.linearRampToValueAtTime(1, 1);
  expect(param.valueAt(0.5)).toBeCloseTo(0.5);
  param.cancelScheduledValues(0.6);
  expect(param.valueAt(0.5)).toBe(0);
});

test("a fade of 0.9 s that is cut after 0.3 s by one of 20 ms ends in silence", () => {
  const graph = new FakeGraph();
  graph.currentTime = 0.14;
  graph.gain.fade(1, 0.9, "smooth");
  graph.currentTime = 0.44;
  const before = graph.param.valueAt(0.45);
  graph.gain.fade(0, 0.02, "smooth");
  expect(graph.param.valueAt(0.445)).toBeCloseTo(before, 1);
  expect(graph.param.valueAt(0.48)).toBe(0);
});

const SHAPES: FadeShape[] = ["linear", "equal-power", "smooth", "decibel"];
const FADE = fc.record({
  level: fc.constantFrom(0, 0.2, 0.5, 1, 1.8),
  seconds: fc.constantFrom(0.02, 0.15, 0.18, 0.9, 1.5, 4),
  shape: fc.constantFrom(...SHAPES),
  after: fc.constantFrom(0, 0, 0.15),
  pass: fc.oneof(fc.constant(0), fc.double({ min: 0.011, max: 2, noNaN: true })),
});

test("fades may replace each other at any moment: never refused, never a step, always there", () => {
  fc.assert(
    fc.property(fc.array(FADE, { minLength: 1, maxLength: 12 }), (fades) => {
      const graph = new FakeGraph();
      for (const { level, seconds, shape, after, pass } of fades) {
        const { currentTime, param, gain } = graph;
        // Sound is made ahead of what the page knows; what is heard until then stays as it was.
        const ahead = [0, 0.003, 0.006, 0.009].map((later) => currentTime + later);
        const before = ahead.map((time) => param.valueAt(time));
        gain.fade(level, seconds, shape, after);
        ahead.forEach((time, i) => expect(param.valueAt(time)).toBeCloseTo(before[i] ?? 0, 9));
        graph.pass(pass);
        if (pass > 0) expect(param.value).toBeCloseTo(gain.level, 9);
      }
      graph.pass(4.3);
      expect(graph.param.value).toBe(fades.at(-1)?.level);
      expect(graph.gain.level).toBe(fades.at(-1)?.level);
    }),
    { numRuns: 1000 },
  );
});

test("where a ramp is refused the level is there at once, and where that is, the way out is cut", () => {
  const graph = new FakeGraph();
  graph.gain.fade(1, 0.2, "linear");
  graph.pass(1);
  graph.refused.add("AudioParam.linearRampToValueAtTime");
  graph.gain.fade(0, 0.02, "smooth");
  expect(graph.param.value).toBe(0);
  graph.gain.fade(1, 0.2, "linear");
  expect(graph.param.value).toBe(1);
  graph.refused.add("AudioParam.value");
  expect(() => graph.gain.fade(0, 0.02, "smooth")).toThrow();
  graph.gain.silence();
  expect(graph.disconnected).toBe(true);
  expect(graph.gain.level).toBe(0);
  graph.refused.clear();
  graph.gain.fade(1, 0.2, "linear");
  graph.pass(1);
  expect(graph.disconnected).toBe(false);
  expect(graph.gain.level).toBe(1);
});

test("a fade of 20 ms does not wait for one that was to begin later, and takes its place", () => {
  const graph = new FakeGraph();
  graph.gain.fade(1, 0.9, "smooth");
  graph.pass(0.3);
  graph.gain.fade(0.5, 0.18, "linear", 0.15);
  expect(graph.param.valueAt(graph.currentTime + 0.05)).toBeGreaterThan(graph.param.value);
  graph.pass(0.02);
  graph.gain.fade(0, 0.02, "smooth");
  graph.pass(0.035);
  expect(graph.param.value).toBe(0);
  graph.pass(0.2);
  expect(graph.param.value).toBe(0);
});
