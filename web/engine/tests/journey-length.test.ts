import { describe, expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, failed, previewed, queued, Stage, stored } from "./stage";

const TICK = 0.5;

async function playAll(stage: Stage, segments: readonly Segment[]): Promise<number> {
  for (const segment of segments) stage.serve(segment);
  await stage.begin(segments);
  await stage.until(() => stage.player.snapshot().state === "finished", 2000, TICK);
  return stage.player.snapshot().journeySeconds;
}

function planned(...seconds: number[]): Segment[] {
  return seconds.map((plannedSeconds, i) =>
    complete(i, { plannedSeconds, durationSeconds: plannedSeconds }),
  );
}

function expectUnbroken(stage: Stage): void {
  expect(stage.most).toBeLessThanOrEqual(2);
  expect(stage.silence(1, stage.clock.now() - 10)).toBe(0);
}

describe("a journey lasts 18 to 24 minutes", () => {
  test.each([
    ["three pieces of 6 min", [360, 360, 360]],
    ["four pieces of 4 min 30", [270, 270, 270, 270]],
    ["four pieces of 5 min", [300, 300, 300, 300]],
    ["four pieces of 6 min", [360, 360, 360, 360]],
  ])("%s", async (_name, lengths) => {
    const stage = new Stage();
    const seconds = await playAll(stage, planned(...lengths));
    const sum = lengths.reduce((all, one) => all + one, 0);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThanOrEqual(1440);
    expect(Math.abs(seconds - sum)).toBeLessThan(13);
    expectUnbroken(stage);
  });

  test("a failed segment is skipped, and the last piece is held until 18 minutes", async () => {
    const stage = new Stage();
    const [first, , third] = planned(360, 360, 360);
    const heard = new Set<string>();
    stage.player.subscribe(() => stage.heard.forEach((url) => heard.add(url)));
    const seconds = await playAll(stage, [first, failed(1), third] as Segment[]);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThan(1085);
    expect([...heard]).toEqual([stored("s0"), stored("s2"), "https://second.test/s2.mp3"]);
    expectUnbroken(stage);
  });

  test("a first segment that failed does not hold the journey up", async () => {
    const stage = new Stage();
    const [, second, third] = planned(360, 360, 360);
    for (const segment of [second, third] as Segment[]) stage.serve(segment);
    await stage.begin([failed(0), second, third] as Segment[]);
    await stage.pass(5);
    expect(stage.heard).toEqual([stored("s1")]);
  });
});

describe("a file shorter than planned is carried on", () => {
  test("by its second track, through a crossfade of 4 s", async () => {
    const stage = new Stage();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 200 });
    for (const segment of segments) stage.serve(segment);
    await stage.begin(segments);
    await stage.until(() => stage.decks.audible.length === 2, 300);
    expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(196, 0);
    await stage.pass(4.2);
    expect(stage.heard).toEqual(["https://second.test/s0.mp3"]);
    expect(stage.player.snapshot().carriedOn).toBe(true);
    await stage.until(() => stage.player.snapshot().segment?.index === 1, 300, TICK);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(356, 0);
    expectUnbroken(stage);
  });

  test("by itself where there is no second track", async () => {
    const stage = new Stage();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 100, secondTrack: null });
    for (const segment of segments) stage.serve(segment);
    await stage.begin(segments);
    await stage.until(() => stage.player.snapshot().segment?.index === 1, 400, TICK);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(356, 0);
    expectUnbroken(stage);
  });

  test("early enough for the second track to be heard for a while", async () => {
    const stage = new Stage();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 350 });
    for (const segment of segments) stage.serve(segment);
    await stage.begin(segments);
    await stage.until(() => stage.player.snapshot().carriedOn, 400, TICK);
    expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(336, 0);
    expectUnbroken(stage);
  });

  test("not for a second or two: it is let go at its end", async () => {
    const stage = new Stage();
    const segments = planned(360, 360, 360);
    segments[0] = complete(0, { plannedSeconds: 360, durationSeconds: 359 });
    for (const segment of segments) stage.serve(segment);
    await stage.begin(segments);
    await stage.until(() => stage.player.snapshot().segment?.index === 1, 400, TICK);
    expect(stage.player.snapshot().carriedOn).toBe(false);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(355, 0);
    expectUnbroken(stage);
  });
});

describe("the next piece is late", () => {
  test("by 3 minutes: the current is carried on until it has a source", async () => {
    const stage = new Stage();
    const first = complete(0);
    stage.serve(first);
    await stage.begin([first, queued(1), queued(2), queued(3)]);
    await stage.pass(480, TICK);
    expect(stage.player.snapshot()).toMatchObject({ state: "playing", carriedOn: true });
    const second = previewed(1);
    stage.serve(second);
    stage.tell([first, second, queued(2), queued(3)]);
    await stage.pass(6);
    expect(stage.heard).toEqual([second.previewUrl]);
    expect(stage.player.snapshot().segment?.index).toBe(1);
    expectUnbroken(stage);
  });

  test("for ever: carried on to 24 minutes, then the closing fade", async () => {
    const stage = new Stage();
    const first = complete(0);
    const seconds = await playAll(stage, [first, queued(1), queued(2)]);
    expect(seconds).toBeGreaterThan(1439);
    expect(seconds).toBeLessThanOrEqual(1440.1);
    expectUnbroken(stage);
  });

  test("and fails at last: the journey closes once it has lasted 18 minutes", async () => {
    const stage = new Stage();
    const first = complete(0);
    stage.serve(first);
    await stage.begin([first, queued(1), queued(2)]);
    await stage.pass(600, TICK);
    stage.tell([first, failed(1), failed(2)]);
    await stage.until(() => stage.player.snapshot().state === "finished", 600, TICK);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(1080, 0);
    expectUnbroken(stage);
  });

  test("so late that it could hardly be heard: it is not begun", async () => {
    const stage = new Stage();
    const first = complete(0);
    stage.serve(first);
    await stage.begin([first, queued(1)]);
    await stage.pass(1420, TICK);
    const second = complete(1);
    stage.serve(second);
    stage.tell([first, second]);
    await stage.until(() => stage.player.snapshot().state === "finished", 60, TICK);
    expect(stage.player.snapshot().segment?.index).toBe(0);
    expect(stage.player.snapshot().journeySeconds).toBeLessThanOrEqual(1440.1);
  });
});

test("the last fade takes 8 seconds and ends in silence", async () => {
  const stage = new Stage();
  const seconds = await playAll(stage, planned(360, 360, 360));
  const end = stage.clock.now();
  const fading = stage.samples.filter(({ at }) => at > end - 7.5 && at < end - 0.5);
  expect(fading.every(({ loudest }) => loudest > 0 && loudest < 1)).toBe(true);
  expect(stage.decks.audible).toEqual([]);
  expect(stage.decks.bed.level).toBe(0);
  expect(stage.player.snapshot().totalSeconds).toBeCloseTo(seconds, 0);
});
