import { afterEach, describe, expect, test, vi } from "vitest";
import { StallDetector } from "../playback/stall-detector";
import { AudioHarness, SECONDS } from "./audio-harness";
import { complete, PlayerHarness, previewed, queued, stored } from "./player-harness";

describe("the watch", () => {
  test("tells of what stands still for 2 s, once", () => {
    const watch = new StallDetector(2);
    const told = [0, 1, 2, 3].map((now) => watch.check(now, 7, now));
    expect(told).toEqual([null, null, "place", null]);
  });

  test("is not misled by a page that slept, nor by what need not move", () => {
    const watch = new StallDetector(2);
    expect(watch.check(0, 7, null)).toBeNull();
    expect(watch.check(3600, 7, null)).toBeNull();
    expect(watch.check(3601, null, null)).toBeNull();
    expect(watch.check(3602, 7, null)).toBeNull();
  });

  test("tells of the output first", () => {
    const watch = new StallDetector(2);
    const told = [0, 1, 2].map((now) => watch.check(now, 7, 5));
    expect(told.at(-1)).toBe("output");
  });
});

async function playing(
  ...segments: Parameters<PlayerHarness["serve"]>[0][]
): Promise<PlayerHarness> {
  const harness = new PlayerHarness();
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(10);
  return harness;
}

test("a file that stands still without a word is opened again where it stood, the bed under it", async () => {
  const harness = await playing(complete(0), complete(1));
  harness.media.put(stored("s0"), { durationSeconds: 300, standsAtSeconds: 12 });
  await harness.until(() => harness.player.snapshot().state === "stalled", 5);
  harness.media.put(stored("s0"), { durationSeconds: 300 });
  expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(12, 0);
  await harness.pass(0.5);
  expect(harness.decks.bed.level).toBeGreaterThan(0.3);
  await harness.pass(3);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", gestureReason: null });
  expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(13);
});

test("a stream that stands still is waited for, and goes on by itself", async () => {
  const harness = await playing(previewed(0), queued(1));
  const { previewUrl } = previewed(0);
  harness.media.put(previewUrl ?? "", { durationSeconds: 300, live: true, standsAtSeconds: 12 });
  await harness.until(() => harness.player.snapshot().state === "stalled", 5);
  await harness.pass(1);
  expect(harness.decks.bed.level).toBe(1);
  harness.media.put(previewUrl ?? "", { durationSeconds: 300, live: true });
  await harness.pass(3);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", carriedOn: false });
  expect(harness.decks.bed.level).toBeLessThan(0.1);
});

test("a file that stands still again asks for a tap, which opens another output", async () => {
  const harness = await playing(complete(0), complete(1));
  harness.media.put(stored("s0"), { durationSeconds: 300, standsAtSeconds: 12 });
  await harness.until(() => harness.player.snapshot().state === "paused", 20);
  expect(harness.player.snapshot()).toMatchObject({ needsGesture: true, gestureReason: "output" });
  harness.media.put(stored("s0"), { durationSeconds: 300 });
  harness.player.resume();
  expect(harness.decks.renewed).toBe(1);
  await harness.pass(3);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", needsGesture: false });
  expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(13);
});

test.each(["waiting", "playing"])(
  "an output whose clock stands still while %s is shaken, then renewed by a tap",
  async (name) => {
    const harness =
      name === "playing" ? await playing(complete(0), complete(1)) : new PlayerHarness();
    if (name === "waiting") await harness.begin([queued(0), queued(1)]);
    expect(harness.player.snapshot().state).toBe(name);
    harness.decks.freeze();
    await harness.pass(2.6);
    expect(harness.decks.woken).toBe(1);
    await harness.pass(2.5);
    expect(harness.player.snapshot()).toMatchObject({ state: "paused", gestureReason: "output" });
    harness.player.resume();
    await harness.pass(5);
    expect(harness.player.snapshot()).toMatchObject({ state: name, gestureReason: null });
    expect(harness.decks.renewed).toBe(1);
    if (name === "playing") expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(10);
  },
);

test("a last fade whose end is never told ends all the same", async () => {
  const harness = await playing(complete(0), complete(1), complete(2), complete(3));
  await harness.until(() => harness.player.snapshot().closing, 1500, 0.5);
  await harness.until(() => harness.player.snapshot().state === "finished", 15);
  expect(harness.decks.audible).toEqual([]);
});

describe("as WebKit has it", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("a stream whose length grows as it is decoded is not taken for a whole file", async () => {
    const room = new AudioHarness({ beginsLate: true });
    room.tellPieces(0, 1);
    room.player.start("run");
    await room.pass(1);
    for (let second = 1; second < SECONDS - 2; second += 1) {
      await room.pass(1);
      const { state, carriedOn, segment } = room.player.snapshot();
      expect({ state, carriedOn, index: segment?.index }).toEqual({
        state: "playing",
        carriedOn: false,
        index: 0,
      });
      expect(room.sounds).toBe(true);
    }
    room.close();
  });

  test("a piece that was paused sounds again, from what was heard last", async () => {
    const room = new AudioHarness({ beginsLate: true });
    room.tellPieces(2);
    room.player.start("run");
    await room.pass(3);
    room.player.pause();
    await room.pass(4);
    const { pieceSeconds } = room.player.snapshot();
    room.player.resume();
    await room.pass(1);
    expect(room.sounds).toBe(true);
    expect((room.player.snapshot().pieceSeconds ?? 0) - (pieceSeconds ?? 0)).toBeCloseTo(0.8, 0);
    room.close();
  });

  test("a seek is heard where it went, and the piece is not over", async () => {
    const room = new AudioHarness({ beginsLate: true });
    room.tellPieces(2);
    room.player.start("run");
    await room.pass(2);
    room.player.seek(5);
    await room.pass(1.5);
    expect(room.player.snapshot()).toMatchObject({ state: "playing", segment: { index: 0 } });
    expect(room.player.snapshot().pieceSeconds).toBeGreaterThan(5);
    expect(room.player.snapshot().pieceSeconds).toBeLessThan(6.6);
    expect(room.sounds).toBe(true);
    room.close();
  });
});
