import { describe, expect, test } from "vitest";
import { Unplayable } from "../deck";
import { Aligner } from "../playback/aligner";
import { estimateLag, type Samples } from "../playback/cross-correlation";
import { curveOf, type FadeShape, levelAt } from "../playback/curves";
import { dbOfLevel, levelFor, needsLimiter, slideSeconds } from "../playback/loudness";
import { within } from "../playback/timing";
import { SETTINGS } from "../settings";
import { newClock } from "./clock";

const SHAPES: FadeShape[] = ["linear", "equal-power", "smooth", "decibel"];

describe("a fade", () => {
  test.each(SHAPES)(
    "that is %s begins and ends where it was told, and never turns back",
    (shape) => {
      const fade = { from: 0.1, to: 0.9, startSeconds: 5, seconds: 2, shape };
      const points = curveOf(fade, 101);
      expect(points[0]).toBeCloseTo(0.1);
      expect(points[100]).toBeCloseTo(0.9);
      points.slice(1).forEach((point, i) => expect(point).toBeGreaterThanOrEqual(points[i] ?? 0));
      expect(levelAt(fade, 4)).toBe(0.1);
      expect(levelAt(fade, 6)).toBeCloseTo(points[50] ?? 0);
      expect(levelAt(fade, 8)).toBe(0.9);
    },
  );

  test("of equal power keeps the power of two musics", () => {
    const [out, into] = crossfade("equal-power");
    out.forEach((level, i) => expect(level ** 2 + (into[i] ?? 0) ** 2).toBeCloseTo(1));
  });

  test("that is linear keeps the sum of the same music twice", () => {
    const [out, into] = crossfade("linear");
    out.forEach((level, i) => expect(level + (into[i] ?? 0)).toBeCloseTo(1));
  });

  function crossfade(shape: FadeShape): [number[], number[]] {
    const common = { startSeconds: 0, seconds: 1, shape };
    const out = curveOf({ ...common, from: 1, to: 0 }, 33);
    return [out, curveOf({ ...common, from: 0, to: 1 }, 33)];
  }
});

describe("loudness", () => {
  const db = (loudnessLufs: number | null, truePeakDbtp: number | null) =>
    dbOfLevel(levelFor({ loudnessLufs, truePeakDbtp }, false, SETTINGS));

  test("brings every piece to -18 LUFS", () => {
    expect(db(-14, -3)).toBeCloseTo(-4);
    expect(db(-20, -6)).toBeCloseTo(2);
  });

  test("moves no piece by more than -12 or +14 dB", () => {
    expect(db(-2, -1)).toBeCloseTo(-12);
    expect(db(-40, -30)).toBeCloseTo(14);
  });

  test("keeps the true peak under -1 dBTP", () => {
    expect(db(-23, -2)).toBeCloseTo(1);
    expect(db(-18, 0.5)).toBeCloseTo(-1.5);
  });

  test("limits the peaks of what must be made louder, and of nothing else", () => {
    const limits = (loudnessLufs: number | null, truePeakDbtp: number | null) =>
      needsLimiter({ loudnessLufs, truePeakDbtp }, SETTINGS);
    expect(limits(-33, -8)).toBe(true);
    expect(limits(-27, -12)).toBe(false);
    expect(limits(-19, -1.5)).toBe(false);
    expect(limits(-12, 0.8)).toBe(false);
    expect(limits(-25, null)).toBe(true);
    expect(limits(null, null)).toBe(false);
    expect(dbOfLevel(levelFor({ loudnessLufs: -33, truePeakDbtp: -8 }, true, SETTINGS))).toBe(14);
  });

  test("brings pieces of -16, -22, -27 and -33 LUFS within 1.5 LU of each other", () => {
    const heard = [-16, -22, -27, -33].map((loudnessLufs) => {
      const track = { loudnessLufs, truePeakDbtp: Math.min(loudnessLufs + 22, 0) };
      const limited = needsLimiter(track, SETTINGS);
      return loudnessLufs + dbOfLevel(levelFor(track, limited, SETTINGS));
    });
    expect(Math.max(...heard) - Math.min(...heard)).toBeLessThan(1.5);
  });

  test("takes a piece that was not measured for a usual one", () => {
    expect(db(null, null)).toBeCloseTo(-4);
  });

  test("slides by half a dB a second", () => {
    expect(slideSeconds(1, 10 ** (-3 / 20), SETTINGS)).toBeCloseTo(6);
  });
});

describe("two recordings of the same music", () => {
  const rate = 44_100;
  const music = noise(2 * rate);

  test.each([0, 0.001, 0.0231, -0.0187, 0.055, 0.14, -0.12])("are %s s apart", (lag) => {
    const found = estimateLag(heard(music, 1.5), heard(music, 1.5 - lag));
    expect(found).toBeCloseTo(lag, 4);
  });

  test("may differ in level and coding", () => {
    const hiss = noise(2 * rate, 7);
    const other = music.map((sample, i) => 0.4 * sample + 0.1 * (hiss[i] ?? 0));
    expect(estimateLag(heard(music, 1.5), heard(other, 1.49))).toBeCloseTo(0.01, 4);
  });

  test("are told from different music, from silence and from too little", () => {
    expect(estimateLag(heard(music, 1.5), heard(noise(2 * rate, 3), 1.5))).toBeNull();
    expect(estimateLag(heard(music, 1.5), heard(new Float32Array(2 * rate), 1.5))).toBeNull();
    expect(estimateLag(heard(music, 1.5), { samples: music.slice(0, 100), rate })).toBeNull();
  });

  /** What an ear keeps: the last seven tenths of a second. */
  function heard(samples: Float32Array, seconds: number): Samples {
    const end = Math.round(seconds * rate);
    return { samples: samples.slice(end - 32_768, end), rate };
  }
});

test("a deck that tells the same place but sounds beside it is moved to where the music is", async () => {
  const clock = newClock();
  const rate = 44_100;
  const music = noise(4 * rate);
  const nudged: number[] = [];
  const deck = (late: number, position: number) => ({
    playing: true,
    position,
    latency: 0,
    beginSeconds: 0,
    play: () => Promise.resolve(),
    seek: () => Promise.resolve(),
    nudge: async (seconds: number) => void nudged.push(seconds),
    recentSamples() {
      const behind = late && late - nudged.reduce((sum, seconds) => sum + seconds, 0);
      return { samples: music.slice(rate, 2 * rate - Math.round(behind * rate)), rate };
    },
  });
  type Pair = Parameters<Aligner["align"]>;
  const aligner = new Aligner(clock, SETTINGS);
  const [leader, follower] = [deck(0, 2), deck(0.021, 2.5)] as unknown as [Pair[0], Pair[1]];
  const aligned = aligner.align(leader, follower, new AbortController().signal);
  await clock.advance(4);
  expect(await aligned).toBe(true);
  expect(nudged[0]).toBeCloseTo(0.021, 3);
  expect(nudged.length).toBe(1);
});

test("what takes too long is given up, and what is in time is not", async () => {
  const clock = newClock();
  const late = within(clock, 2, new Promise(() => {})).catch((error: unknown) => error);
  const early = within(clock, 2, Promise.resolve("done"));
  await clock.advance(3);
  expect(await late).toBeInstanceOf(Unplayable);
  expect(await early).toBe("done");
  expect(clock.pending).toBe(0);
});

/** Noise that is the same for the same seed, softened as music is. */
function noise(length: number, seed = 1): Float32Array {
  const samples = new Float32Array(length);
  let state = seed * 7919;
  let last = 0;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    last = 0.8 * last + 0.2 * (state / 2 ** 31 - 1);
    samples[i] = last;
  }
  return samples;
}
