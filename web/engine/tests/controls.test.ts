import { describe, expect, test } from "vitest";
import { complete, previewed, queued, Stage, stored } from "./stage";

async function playing(): Promise<Stage> {
  const stage = new Stage();
  const segments = [0, 1, 2, 3].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(30);
  return stage;
}

describe("pause", () => {
  test("is silent after 150 ms, and journey time stands still", async () => {
    const stage = await playing();
    stage.player.pause();
    await stage.pass(0.2, 0.01);
    expect(stage.decks.audible).toEqual([]);
    const { journeySeconds } = stage.player.snapshot();
    await stage.pass(60, 1);
    expect(stage.player.snapshot()).toMatchObject({ state: "paused", journeySeconds });
  });

  test("then resume plays on from there, over 1.5 s", async () => {
    const stage = await playing();
    stage.player.pause();
    await stage.pass(10, 1);
    const { journeySeconds } = stage.player.snapshot();
    stage.player.resume();
    await stage.pass(0.75);
    const level = stage.decks.audible[0]?.level ?? 0;
    expect(level).toBeGreaterThan(0.3);
    expect(level).toBeLessThan(0.7);
    await stage.pass(1);
    expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(journeySeconds + 1.72, 1);
  });

  test("and resume in the same breath go on without a break", async () => {
    const stage = await playing();
    stage.player.pause();
    await stage.pass(0.05, 0.01);
    stage.player.resume();
    await stage.pass(2);
    expect(stage.player.snapshot().state).toBe("playing");
    expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
  });

  test("while waiting hushes the bed, and resume waits on", async () => {
    const stage = new Stage();
    stage.player.start("run");
    stage.tell([queued(0), queued(1), queued(2)]);
    await stage.pass(2);
    stage.player.pause();
    await stage.pass(1);
    expect(stage.decks.bed.level).toBe(0);
    const first = previewed(0);
    stage.serve(first);
    stage.tell([first, queued(1), queued(2)]);
    await stage.pass(5);
    expect(stage.decks.audible).toEqual([]);
    stage.player.resume();
    await stage.pass(2);
    expect(stage.heard).toEqual([first.previewUrl]);
  });

  test("during a crossfade keeps the piece that comes", async () => {
    const stage = await playing();
    await stage.until(() => stage.decks.audible.length === 2, 400);
    await stage.pass(1);
    stage.player.pause();
    await stage.pass(1);
    expect(stage.decks.audible).toEqual([]);
    stage.player.resume();
    await stage.pass(2);
    expect(stage.heard).toEqual([stored("s1")]);
    expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
  });

  test("during the last fade, then resume, still ends in time", async () => {
    const stage = await playing();
    await stage.until(() => stage.player.snapshot().closing, 1500, 0.2);
    await stage.pass(3);
    stage.player.pause();
    await stage.pass(5);
    stage.player.resume();
    await stage.until(() => stage.player.snapshot().state === "finished", 12);
    expect(stage.player.snapshot().journeySeconds).toBeLessThan(1440);
  });
});

describe("a call, or headphones pulled out", () => {
  test("pauses, and the music never comes back alone", async () => {
    const stage = await playing();
    stage.decks.audible[0]?.interrupt();
    await stage.pass(60, 1);
    expect(stage.player.snapshot()).toMatchObject({ state: "paused", interrupted: true });
    expect(stage.decks.audible).toEqual([]);
    stage.player.resume();
    await stage.pass(2);
    expect(stage.player.snapshot()).toMatchObject({ state: "playing", interrupted: false });
  });

  test("that takes the whole output away does the same", async () => {
    const stage = await playing();
    stage.decks.interrupt();
    await stage.pass(60, 1);
    expect(stage.player.snapshot()).toMatchObject({ state: "paused", interrupted: true });
    expect(stage.decks.audible).toEqual([]);
  });
});

describe("next and previous", () => {
  test("next crosses to the following piece without a break", async () => {
    const stage = await playing();
    const from = stage.clock.now();
    expect(stage.player.snapshot()).toMatchObject({ canNext: true, canPrevious: true });
    stage.player.next();
    await stage.pass(3);
    expect(stage.heard).toEqual([stored("s1")]);
    expect(stage.silence(from)).toBe(0);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(296 + 2.8, 0);
  });

  test("next three times at once ends at the last", async () => {
    const stage = await playing();
    stage.player.next();
    await stage.pass(0.1);
    stage.player.next();
    await stage.pass(3);
    stage.player.next();
    stage.player.next();
    await stage.pass(0.25);
    stage.player.next();
    await stage.pass(3);
    expect(stage.player.snapshot()).toMatchObject({ state: "playing", canNext: false });
    expect(stage.heard).toEqual([stored("s3")]);
    expect(stage.most).toBeLessThanOrEqual(2);
  });

  test("previous goes to the beginning of the piece, then to the one before", async () => {
    const stage = await playing();
    stage.player.next();
    await stage.pass(20);
    stage.player.previous();
    await stage.pass(3);
    expect(stage.player.snapshot().segment?.index).toBe(1);
    expect(stage.player.snapshot().pieceSeconds).toBeLessThan(3);
    stage.player.previous();
    await stage.pass(3);
    expect(stage.player.snapshot().segment?.index).toBe(0);
    expect(stage.player.snapshot().journeySeconds).toBeLessThan(3);
  });

  test("while paused it stays silent until resumed", async () => {
    const stage = await playing();
    stage.player.pause();
    await stage.pass(1);
    stage.player.next();
    await stage.pass(3);
    expect(stage.decks.audible).toEqual([]);
    expect(stage.player.snapshot().segment?.index).toBe(1);
    stage.player.resume();
    await stage.pass(2);
    expect(stage.heard).toEqual([stored("s1")]);
  });

  test("next does nothing where there is no next yet", async () => {
    const stage = new Stage();
    const first = previewed(0);
    stage.serve(first);
    await stage.begin([first, queued(1), queued(2)]);
    await stage.pass(5);
    expect(stage.player.snapshot().canNext).toBe(false);
    stage.player.next();
    await stage.pass(5);
    expect(stage.heard).toEqual([first.previewUrl]);
  });
});

describe("seek", () => {
  test("goes to a place of a final and fades in again", async () => {
    const stage = await playing();
    stage.player.seek(200);
    await stage.pass(0.5);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(200, 0);
    expect(stage.decks.audible[0]?.level).toBeLessThan(0.5);
    await stage.pass(2);
    expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
    expect(stage.player.snapshot().journeySeconds).toBeCloseTo(202, 0);
  });

  test("keeps to what is there of a preview", async () => {
    const stage = new Stage();
    const first = previewed(0);
    stage.serve(first, { arrivedSeconds: 40, durationSeconds: 300 });
    await stage.begin([first, queued(1), queued(2)]);
    await stage.pass(10);
    expect(stage.player.snapshot().seekable).toEqual({ fromSeconds: 0, toSeconds: 39 });
    stage.player.seek(250);
    await stage.pass(2);
    expect(stage.player.snapshot().pieceSeconds).toBeGreaterThan(38);
    expect(stage.player.snapshot().pieceSeconds).toBeLessThan(40.1);
  });

  test("while paused moves the place and stays silent", async () => {
    const stage = await playing();
    stage.player.pause();
    await stage.pass(1);
    stage.player.seek(150);
    await stage.pass(1);
    expect(stage.decks.audible).toEqual([]);
    expect(stage.player.snapshot()).toMatchObject({ state: "paused", pieceSeconds: 150 });
    stage.player.resume();
    await stage.pass(1);
    expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(151, 0);
  });

  test("near the end still leaves time for what follows", async () => {
    const stage = await playing();
    const from = stage.clock.now() + 1;
    stage.player.seek(1e9);
    await stage.pass(12);
    expect(stage.heard).toEqual([stored("s1")]);
    expect(stage.silence(from)).toBe(0);
  });

  test("many times in a row ends where the last one went", async () => {
    const stage = await playing();
    for (const place of [100, 20, 250, 60]) {
      stage.player.seek(place);
      await stage.pass(0.1);
    }
    await stage.pass(2);
    expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(61.8, 0);
    expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
  });
});

test("volume is 70 % at first, can be set and muted", async () => {
  const stage = await playing();
  expect(stage.decks.heardVolume).toBe(0.7);
  stage.player.setMuted(true);
  expect(stage.decks.heardVolume).toBe(0);
  expect(stage.player.snapshot()).toMatchObject({ volume: 0.7, muted: true });
  stage.player.setVolume(0.4);
  expect(stage.decks.heardVolume).toBe(0.4);
  expect(stage.player.snapshot()).toMatchObject({ volume: 0.4, muted: false });
});

test("a listener is told of changes until it stops listening", async () => {
  const stage = new Stage();
  const states: string[] = [];
  const stop = stage.player.subscribe((snapshot) => states.push(snapshot.state));
  stage.player.start();
  await stage.pass(0.1);
  expect(states).toContain("waiting");
  stop();
  const count = states.length;
  await stage.pass(5);
  expect(states.length).toBe(count);
});
