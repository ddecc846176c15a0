import { describe, expect, test } from "vitest";
import { complete, PlayerHarness, previewed, queued, stored } from "./player-harness";

async function playing(): Promise<PlayerHarness> {
  const harness = new PlayerHarness();
  const segments = [0, 1, 2, 3].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(30);
  return harness;
}

describe("pause", () => {
  test("is silent after 150 ms, and journey time stands still", async () => {
    const harness = await playing();
    harness.player.pause();
    await harness.pass(0.2, 0.01);
    expect(harness.decks.audible).toEqual([]);
    const { journeySeconds } = harness.player.snapshot();
    await harness.pass(60, 1);
    expect(harness.player.snapshot()).toMatchObject({ state: "paused", journeySeconds });
  });

  test("then resume plays on from there, over 1.5 s", async () => {
    const harness = await playing();
    harness.player.pause();
    await harness.pass(10, 1);
    const { journeySeconds } = harness.player.snapshot();
    harness.player.resume();
    await harness.pass(0.75);
    const level = harness.decks.audible[0]?.level ?? 0;
    expect(level).toBeGreaterThan(0.3);
    expect(level).toBeLessThan(0.7);
    await harness.pass(1);
    expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(journeySeconds + 1.72, 1);
  });

  test("and resume in the same breath go on without a break", async () => {
    const harness = await playing();
    harness.player.pause();
    await harness.pass(0.05, 0.01);
    harness.player.resume();
    await harness.pass(2);
    expect(harness.player.snapshot().state).toBe("playing");
    expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
  });

  test("while waiting silences the bed, and resume waits on", async () => {
    const harness = new PlayerHarness();
    harness.player.start("run");
    harness.tell([queued(0), queued(1), queued(2)]);
    await harness.pass(2);
    harness.player.pause();
    await harness.pass(1);
    expect(harness.decks.bed.level).toBe(0);
    const first = previewed(0);
    harness.serve(first);
    harness.tell([first, queued(1), queued(2)]);
    await harness.pass(5);
    expect(harness.decks.audible).toEqual([]);
    harness.player.resume();
    await harness.pass(2);
    expect(harness.heard).toEqual([first.previewUrl]);
  });

  test("during a crossfade keeps the piece that comes", async () => {
    const harness = await playing();
    await harness.until(() => harness.decks.audible.length === 2, 400);
    await harness.pass(1);
    harness.player.pause();
    await harness.pass(1);
    expect(harness.decks.audible).toEqual([]);
    harness.player.resume();
    await harness.pass(2);
    expect(harness.heard).toEqual([stored("s1")]);
    expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
  });

  test("during the last fade, then resume, still ends in time", async () => {
    const harness = await playing();
    await harness.until(() => harness.player.snapshot().closing, 1500, 0.2);
    await harness.pass(3);
    harness.player.pause();
    await harness.pass(5);
    harness.player.resume();
    await harness.until(() => harness.player.snapshot().state === "finished", 12);
    expect(harness.player.snapshot().journeySeconds).toBeLessThan(1440);
  });
});

describe("a call, or headphones pulled out", () => {
  test("pauses, and the music never comes back alone", async () => {
    const harness = await playing();
    harness.decks.audible[0]?.interrupt();
    await harness.pass(60, 1);
    expect(harness.player.snapshot()).toMatchObject({ state: "paused", interrupted: true });
    expect(harness.decks.audible).toEqual([]);
    harness.player.resume();
    await harness.pass(2);
    expect(harness.player.snapshot()).toMatchObject({ state: "playing", interrupted: false });
  });

  test("that takes the whole output away does the same", async () => {
    const harness = await playing();
    harness.decks.interrupt();
    await harness.pass(60, 1);
    expect(harness.player.snapshot()).toMatchObject({ state: "paused", interrupted: true });
    expect(harness.decks.audible).toEqual([]);
  });
});

describe("next and previous", () => {
  test("next crosses to the following piece without a break", async () => {
    const harness = await playing();
    const from = harness.clock.now();
    expect(harness.player.snapshot()).toMatchObject({ canNext: true, canPrevious: true });
    harness.player.next();
    await harness.pass(3);
    expect(harness.heard).toEqual([stored("s1")]);
    expect(harness.silence(from)).toBe(0);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(296 + 2.8, 0);
  });

  test("next three times at once ends at the last", async () => {
    const harness = await playing();
    harness.player.next();
    await harness.pass(0.1);
    harness.player.next();
    await harness.pass(3);
    harness.player.next();
    harness.player.next();
    await harness.pass(0.25);
    harness.player.next();
    await harness.pass(3);
    expect(harness.player.snapshot()).toMatchObject({ state: "playing", canNext: false });
    expect(harness.heard).toEqual([stored("s3")]);
    expect(harness.most).toBeLessThanOrEqual(2);
  });

  test("previous goes to the beginning of the piece, then to the one before", async () => {
    const harness = await playing();
    harness.player.next();
    await harness.pass(20);
    harness.player.previous();
    await harness.pass(3);
    expect(harness.player.snapshot().segment?.index).toBe(1);
    expect(harness.player.snapshot().pieceSeconds).toBeLessThan(3);
    harness.player.previous();
    await harness.pass(3);
    expect(harness.player.snapshot().segment?.index).toBe(0);
    expect(harness.player.snapshot().journeySeconds).toBeLessThan(3);
  });

  test("while paused it stays silent until resumed", async () => {
    const harness = await playing();
    harness.player.pause();
    await harness.pass(1);
    harness.player.next();
    await harness.pass(3);
    expect(harness.decks.audible).toEqual([]);
    expect(harness.player.snapshot().segment?.index).toBe(1);
    harness.player.resume();
    await harness.pass(2);
    expect(harness.heard).toEqual([stored("s1")]);
  });

  test("next does nothing where there is no next yet", async () => {
    const harness = new PlayerHarness();
    const first = previewed(0);
    harness.serve(first);
    await harness.begin([first, queued(1), queued(2)]);
    await harness.pass(5);
    expect(harness.player.snapshot().canNext).toBe(false);
    harness.player.next();
    await harness.pass(5);
    expect(harness.heard).toEqual([first.previewUrl]);
  });
});

describe("seek", () => {
  test("goes to a place of a final and fades in again", async () => {
    const harness = await playing();
    harness.player.seek(200);
    await harness.pass(0.5);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(200, 0);
    expect(harness.decks.audible[0]?.level).toBeLessThan(0.5);
    await harness.pass(2);
    expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(202, 0);
  });

  test("keeps to what is there of a preview", async () => {
    const harness = new PlayerHarness();
    const first = previewed(0);
    harness.serve(first, { arrivedSeconds: 40, durationSeconds: 300 });
    await harness.begin([first, queued(1), queued(2)]);
    await harness.pass(10);
    expect(harness.player.snapshot().seekable).toEqual({ fromSeconds: 0, toSeconds: 39 });
    harness.player.seek(250);
    await harness.pass(2);
    expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(38);
    expect(harness.player.snapshot().pieceSeconds).toBeLessThan(40.1);
  });

  test("while paused moves the place and stays silent", async () => {
    const harness = await playing();
    harness.player.pause();
    await harness.pass(1);
    harness.player.seek(150);
    await harness.pass(1);
    expect(harness.decks.audible).toEqual([]);
    expect(harness.player.snapshot()).toMatchObject({ state: "paused", pieceSeconds: 150 });
    harness.player.resume();
    await harness.pass(1);
    expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(151, 0);
  });

  test("near the end still leaves time for what follows", async () => {
    const harness = await playing();
    const from = harness.clock.now() + 1;
    harness.player.seek(1e9);
    await harness.pass(12);
    expect(harness.heard).toEqual([stored("s1")]);
    expect(harness.silence(from)).toBe(0);
  });

  test("that takes long has the bed under it, and one that is never answered is opened again", async () => {
    const harness = await playing();
    harness.media.put(stored("s0"), { durationSeconds: 300, seeksInSeconds: Infinity });
    harness.player.seek(150);
    await harness.pass(3);
    expect(harness.player.snapshot().bed.sounding).toBe(true);
    await harness.pass(15);
    expect(harness.player.snapshot()).toMatchObject({ state: "playing", kind: "final" });
    expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(150);
    expect(harness.player.snapshot().pieceSeconds).toBeLessThan(154);
  });

  test("many times in a row ends where the last one went", async () => {
    const harness = await playing();
    for (const place of [100, 20, 250, 60]) {
      harness.player.seek(place);
      await harness.pass(0.1);
    }
    await harness.pass(2);
    expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(61.8, 0);
    expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
  });
});

test("volume is 70 % at first, can be set and muted", async () => {
  const harness = await playing();
  expect(harness.decks.heardVolume).toBe(0.7);
  harness.player.setMuted(true);
  expect(harness.decks.heardVolume).toBe(0);
  expect(harness.player.snapshot()).toMatchObject({ volume: 0.7, muted: true });
  harness.player.setVolume(0.4);
  expect(harness.decks.heardVolume).toBe(0.4);
  expect(harness.player.snapshot()).toMatchObject({ volume: 0.4, muted: false });
});

test("a listener is told of changes until it stops listening", async () => {
  const harness = new PlayerHarness();
  const states: string[] = [];
  const stop = harness.player.subscribe((snapshot) => states.push(snapshot.state));
  harness.player.start();
  await harness.pass(0.1);
  expect(states).toContain("waiting");
  stop();
  const count = states.length;
  await harness.pass(5);
  expect(states.length).toBe(count);
});
