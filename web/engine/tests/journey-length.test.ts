import { describe, expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, failed, PlayerHarness, previewed, queued, stored } from "./player-harness";

const TICK = 0.5;

async function playAll(harness: PlayerHarness, segments: readonly Segment[]): Promise<number> {
  for (const segment of segments) harness.serve(segment);
  await harness.begin(segments);
  await harness.until(() => harness.player.snapshot().state === "finished", 2000, TICK);
  return harness.player.snapshot().journeySeconds;
}

function planned(...seconds: number[]): Segment[] {
  return seconds.map((plannedSeconds, i) =>
    complete(i, { plannedSeconds, durationSeconds: plannedSeconds }),
  );
}

function expectUnbroken(harness: PlayerHarness): void {
  expect(harness.most).toBeLessThanOrEqual(2);
  expect(harness.silence(1, harness.clock.now() - 10)).toBe(0);
}

describe("a journey lasts 18 to 24 minutes", () => {
  test.each([
    ["three pieces of 6 min", [360, 360, 360]],
    ["four pieces of 4 min 30", [270, 270, 270, 270]],
    ["four pieces of 5 min", [300, 300, 300, 300]],
    ["four pieces of 6 min", [360, 360, 360, 360]],
  ])("%s", async (_name, lengths) => {
    const harness = new PlayerHarness();
    const seconds = await playAll(harness, planned(...lengths));
    const sum = lengths.reduce((all, one) => all + one, 0);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThanOrEqual(1440);
    expect(Math.abs(seconds - sum)).toBeLessThan(13);
    expectUnbroken(harness);
  });

  test("a failed segment is skipped, and the last piece is held until 18 minutes", async () => {
    const harness = new PlayerHarness();
    const [first, , third] = planned(360, 360, 360);
    const heard = new Set<string>();
    harness.player.subscribe(() => harness.heard.forEach((url) => heard.add(url)));
    const seconds = await playAll(harness, [first, failed(1), third] as Segment[]);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThan(1085);
    expect([...heard]).toEqual([stored("s0"), stored("s2"), "https://second.test/s2.mp3"]);
    expectUnbroken(harness);
  });

  test("a first segment that failed does not hold the journey up", async () => {
    const harness = new PlayerHarness();
    const [, second, third] = planned(360, 360, 360);
    for (const segment of [second, third] as Segment[]) harness.serve(segment);
    await harness.begin([failed(0), second, third] as Segment[]);
    await harness.pass(5);
    expect(harness.heard).toEqual([stored("s1")]);
  });
});

describe("a file shorter than planned is carried on", () => {
  test("by its second track, through a crossfade of 4 s", async () => {
    const harness = new PlayerHarness();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 200 });
    for (const segment of segments) harness.serve(segment);
    await harness.begin(segments);
    await harness.until(() => harness.decks.audible.length === 2, 300);
    expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(196, 0);
    await harness.pass(4.2);
    expect(harness.heard).toEqual(["https://second.test/s0.mp3"]);
    expect(harness.player.snapshot().carriedOn).toBe(true);
    await harness.until(() => harness.player.snapshot().segment?.index === 1, 300, TICK);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(356, 0);
    expectUnbroken(harness);
  });

  test("by itself where there is no second track", async () => {
    const harness = new PlayerHarness();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 100, secondTrack: null });
    for (const segment of segments) harness.serve(segment);
    await harness.begin(segments);
    await harness.until(() => harness.player.snapshot().segment?.index === 1, 400, TICK);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(356, 0);
    expectUnbroken(harness);
  });

  test("early enough for the second track to be heard for a while", async () => {
    const harness = new PlayerHarness();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 350 });
    for (const segment of segments) harness.serve(segment);
    await harness.begin(segments);
    await harness.until(() => harness.player.snapshot().carriedOn, 400, TICK);
    expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(336, 0);
    expectUnbroken(harness);
  });

  test("not for a second or two: it is let go at its end", async () => {
    const harness = new PlayerHarness();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 359 });
    for (const segment of segments) harness.serve(segment);
    await harness.begin(segments);
    await harness.until(() => harness.player.snapshot().segment?.index === 1, 400, TICK);
    expect(harness.player.snapshot().carriedOn).toBe(false);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(355, 0);
    expectUnbroken(harness);
  });
});

describe("the next piece is late", () => {
  test("by 3 minutes: the current is carried on until it has a source", async () => {
    const harness = new PlayerHarness();
    const first = complete(0);
    harness.serve(first);
    await harness.begin([first, queued(1), queued(2), queued(3)]);
    await harness.pass(480, TICK);
    expect(harness.player.snapshot()).toMatchObject({ state: "playing", carriedOn: true });
    const second = previewed(1);
    harness.serve(second);
    harness.tell([first, second, queued(2), queued(3)]);
    await harness.pass(6);
    expect(harness.heard).toEqual([second.previewUrl]);
    expect(harness.player.snapshot().segment?.index).toBe(1);
    expectUnbroken(harness);
  });

  test("for ever: carried on to 24 minutes, then the closing fade", async () => {
    const harness = new PlayerHarness();
    const first = complete(0);
    const seconds = await playAll(harness, [first, queued(1), queued(2)]);
    expect(seconds).toBeGreaterThan(1439);
    expect(seconds).toBeLessThanOrEqual(1440.1);
    expectUnbroken(harness);
  });

  test("and fails at last: the journey closes once it has lasted 18 minutes", async () => {
    const harness = new PlayerHarness();
    const first = complete(0);
    harness.serve(first);
    await harness.begin([first, queued(1), queued(2)]);
    await harness.pass(600, TICK);
    harness.tell([first, failed(1), failed(2)]);
    await harness.until(() => harness.player.snapshot().state === "finished", 600, TICK);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(1080, 0);
    expectUnbroken(harness);
  });

  test("so late that it could hardly be heard: it is not begun", async () => {
    const harness = new PlayerHarness();
    const first = complete(0);
    harness.serve(first);
    await harness.begin([first, queued(1)]);
    await harness.pass(1420, TICK);
    const second = complete(1);
    harness.serve(second);
    harness.tell([first, second]);
    await harness.until(() => harness.player.snapshot().state === "finished", 60, TICK);
    expect(harness.player.snapshot().segment?.index).toBe(0);
    expect(harness.player.snapshot().journeySeconds).toBeLessThanOrEqual(1440.1);
  });
});

test("the last fade takes 8 seconds and ends in silence", async () => {
  const harness = new PlayerHarness();
  const seconds = await playAll(harness, planned(360, 360, 360));
  const end = harness.clock.now();
  const fading = harness.samples.filter(({ at }) => at > end - 7.5 && at < end - 0.5);
  expect(fading.every(({ loudest }) => loudest > 0 && loudest < 1)).toBe(true);
  expect(harness.decks.audible).toEqual([]);
  expect(harness.decks.bed.level).toBe(0);
  expect(harness.player.snapshot().totalSeconds).toBeCloseTo(seconds, 0);
});
