import { describe, expect, test } from "vitest";
import type { Segment } from "../run";
import {
  complete,
  failed,
  PlayerHarness,
  previewed,
  queued,
  ready,
  reserved,
  stored,
} from "./player-harness";

const TICK = 0.5;
const QUEUED = [0, 1, 2].map((i) => queued(i));

/** From the tap to a piece of the reserve that sounds, with nothing of the run there. */
async function underReserve(...seconds: number[]): Promise<PlayerHarness> {
  const harness = new PlayerHarness();
  harness.player.start("run");
  harness.tell(QUEUED);
  harness.reserve(...seconds);
  await harness.until(() => harness.heard.length === 1, 3);
  return harness;
}

/** The first piece of the run can be heard. */
function preview(harness: PlayerHarness): Segment {
  const first = previewed(0);
  harness.serve(first);
  harness.tell([first, queued(1), queued(2)]);
  return first;
}

function expectUnbroken(harness: PlayerHarness): void {
  expect(harness.most).toBeLessThanOrEqual(2);
  expect(harness.silence(1, harness.clock.now() - 10)).toBe(0);
}

async function untilFinished(harness: PlayerHarness): Promise<number> {
  await harness.until(() => harness.player.snapshot().state === "finished", 2000, TICK);
  return harness.player.snapshot().journeySeconds;
}

describe("before the listener's own", () => {
  test("a ready piece sounds within 2 s of the tap, before the run is known, and the bed leaves", async () => {
    const harness = new PlayerHarness();
    harness.player.start();
    await harness.pass(0.5);
    harness.reserve(180, 180);
    await harness.until(() => harness.heard.length === 1, 1.5);
    expect(harness.heard).toEqual([reserved(0)]);
    await harness.pass(4);
    expect(harness.player.snapshot()).toMatchObject({
      ...{ state: "playing", source: "reserve", ownPlayable: false },
      ...{ segment: null, place: null, waitingSince: null },
    });
    expect(harness.decks.bed.level).toBe(0);
    harness.player.attach("run");
    harness.tell(QUEUED);
    await harness.pass(5);
    expect(harness.heard).toEqual([reserved(0)]);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(9, 0);
    expectUnbroken(harness);
  });

  test("it gives way after 20 s, through a crossfade of 4 s, and journey time goes on", async () => {
    const harness = await underReserve(180);
    const first = preview(harness);
    await harness.pass(19);
    expect(harness.heard).toEqual([reserved(0)]);
    expect(harness.player.snapshot().ownPlayable).toBe(true);
    await harness.pass(2);
    expect(harness.heard).toEqual([reserved(0), first.previewUrl]);
    expect(harness.player.snapshot()).toMatchObject({ source: "run", segment: { id: "s0" } });
    await harness.pass(3.5);
    expect(harness.heard).toEqual([first.previewUrl]);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(24.5, 0);
    expectUnbroken(harness);
  });

  test("it gives way at once when it has sounded for longer", async () => {
    const harness = await underReserve(180);
    await harness.pass(40);
    const first = preview(harness);
    await harness.pass(5);
    expect(harness.heard).toEqual([first.previewUrl]);
  });

  test("it gives way at the listener's wish, before its 20 s", async () => {
    const harness = await underReserve(180);
    harness.player.own();
    await harness.pass(1);
    expect(harness.heard, "nothing to go to yet").toEqual([reserved(0)]);
    const first = preview(harness);
    await harness.pass(1);
    harness.player.own();
    await harness.pass(5);
    expect(harness.heard).toEqual([first.previewUrl]);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(7, 0);
    expectUnbroken(harness);
  });

  test("paused, the wish is kept for when it is resumed", async () => {
    const harness = await underReserve(180);
    await harness.pass(10);
    const first = preview(harness);
    harness.player.pause();
    await harness.pass(1);
    harness.player.own();
    harness.player.resume();
    await harness.pass(5);
    expect(harness.heard).toEqual([first.previewUrl]);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(15, 0);
  });

  test("one that is shorter gives way at its end", async () => {
    const harness = await underReserve(15);
    const first = preview(harness);
    await harness.until(() => harness.heard.length === 2, 13);
    await harness.pass(5);
    expect(harness.heard).toEqual([first.previewUrl]);
    expectUnbroken(harness);
  });

  test("pieces follow each other, each in its turn, then from the first again", async () => {
    const harness = await underReserve(60, 60);
    const heard: string[] = [];
    while (heard.length < 4) {
      await harness.pass(TICK);
      const last = harness.heard.at(-1);
      if (harness.heard.length === 1 && last && last !== heard.at(-1)) heard.push(last);
    }
    expect(heard).toEqual([reserved(0), reserved(1), reserved(0), reserved(1)]);
    // Three times 60 s less the crossfade, and the last 4 s until it is alone.
    expect(Math.abs(harness.player.snapshot().journeySeconds - 172)).toBeLessThan(1);
    expectUnbroken(harness);
  });

  test("the only one follows itself", async () => {
    const harness = await underReserve(60);
    await harness.pass(120);
    expect(harness.heard).toEqual([reserved(0)]);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(120, 0);
    expectUnbroken(harness);
  });

  test("one that cannot be opened is left for the next", async () => {
    const harness = new PlayerHarness();
    harness.player.start("run");
    harness.tell(QUEUED);
    harness.reserve(180, 180);
    harness.media.put(reserved(0), null);
    await harness.until(() => harness.heard.length === 1, 20);
    expect(harness.heard).toEqual([reserved(1)]);
  });

  test("a piece of the run that is there first needs none", async () => {
    const harness = new PlayerHarness();
    harness.player.start("run");
    const first = preview(harness);
    await harness.pass(1);
    harness.reserve(180);
    await harness.pass(30);
    expect(harness.heard).toEqual([first.previewUrl]);
  });
});

describe("a journey with the reserve lasts 18 to 24 minutes", () => {
  test.each([
    ["Suno is down", "failed"],
    ["the run is never known", "unknown"],
    ["the run waits for ever", "queued"],
  ] as const)("%s", async (_name, how) => {
    const harness = new PlayerHarness();
    if (how === "unknown") harness.player.start();
    else harness.player.start("run");
    if (how === "failed") harness.tell([failed(0), failed(1), failed(2)]);
    if (how === "queued") harness.tell(QUEUED);
    harness.reserve(190, 170, 210);
    const seconds = await untilFinished(harness);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThanOrEqual(1440);
    const end = harness.clock.now();
    const fading = harness.samples.filter(({ at }) => at > end - 7.5 && at < end - 1);
    expect(fading.length).toBeGreaterThan(0);
    expect(fading.every(({ loudest }) => loudest > 0 && loudest < 1)).toBe(true);
    expect(harness.decks.audible).toEqual([]);
    expectUnbroken(harness);
  });

  test.each([30, 200, 700, 1000])("the run comes after %d s", async (late) => {
    const harness = await underReserve(180, 200);
    await harness.pass(late, TICK);
    const segments = [0, 1, 2].map((i) =>
      complete(i, { plannedSeconds: 360, durationSeconds: 360 }),
    );
    for (const segment of segments) harness.serve(segment);
    harness.tell(segments);
    await harness.pass(6);
    expect(harness.heard).toEqual([stored("s0")]);
    const seconds = await untilFinished(harness);
    expect(seconds).toBeGreaterThanOrEqual(1080 - 0.1);
    expect(seconds).toBeLessThanOrEqual(1440.1);
    expectUnbroken(harness);
  });

  test("too late to be heard for a while, the run is not begun", async () => {
    const harness = await underReserve(350);
    await harness.pass(1050, TICK);
    const first = complete(0);
    harness.serve(first);
    harness.player.pause();
    harness.tell([first, queued(1), queued(2)]);
    harness.player.resume();
    const seconds = await untilFinished(harness);
    expect(seconds).toBeLessThanOrEqual(1440.1);
  });
});

describe("a run that is over and cannot be heard", () => {
  test("is no failure while the reserve sounds, and is one when that cannot be opened", async () => {
    const harness = new PlayerHarness();
    harness.player.start("run");
    harness.tell([failed(0), failed(1), failed(2)]);
    await harness.pass(1);
    expect(harness.player.snapshot().state).toBe("failed");
    harness.reserve(180);
    await harness.pass(2);
    expect(harness.player.snapshot()).toMatchObject({ state: "playing", source: "reserve" });
    harness.player.stop();
    harness.player.start("run");
    harness.tell([failed(0), failed(1), failed(2)]);
    harness.reserve(180);
    harness.media.put(reserved(0), null);
    await harness.until(() => harness.player.snapshot().state === "failed", 30);
    expect(harness.decks.bed.level).toBe(1);
  });

  test("whose track runs dry in the middle and is not signed again leaves the reserve to go on", async () => {
    const harness = new PlayerHarness();
    const first = complete(0, { secondTrack: null, previewUrl: null });
    harness.serve(first, { arrivedSeconds: 60 });
    await harness.begin([first, failed(1), failed(2)]);
    harness.reserve(180);
    harness.signing = "fails";
    await harness.until(() => harness.heard[0] === reserved(0), 100);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(60, 0);
    expectUnbroken(harness);
  });
});

test("a piece of the run that cannot be opened for a while is heard after all", async () => {
  const harness = new PlayerHarness();
  const segments = [complete(0), complete(1), complete(2)];
  harness.player.attach("run", {
    runId: "run",
    segmentIndex: 2,
    pieceSeconds: 100,
    journeySeconds: 700,
  });
  harness.tell(segments);
  harness.reserve(180);
  harness.player.resume();
  await harness.until(() => harness.heard[0] === reserved(0), 30);
  expect(harness.player.snapshot().journeySeconds).toBeGreaterThanOrEqual(700);
  for (const segment of segments) harness.serve(segment);
  await harness.until(() => harness.heard.at(-1) === stored("s2"), 90);
  await harness.pass(5);
  expect(harness.heard).toEqual([stored("s2")]);
  expect(harness.player.snapshot().segment?.index).toBe(2);
});

describe("Stop and Pause", () => {
  test("silence the reserve, and it is heard again only after a tap", async () => {
    const harness = await underReserve(180);
    await harness.pass(10);
    harness.player.pause();
    await harness.pass(0.1);
    expect(harness.decks.audible).toEqual([]);
    harness.player.resume();
    await harness.pass(3);
    expect(harness.player.snapshot().journeySeconds).toBeCloseTo(13, 0);
    harness.player.stop();
    harness.reserve(180, 180);
    await harness.pass(30);
    expect(harness.decks.audible).toEqual([]);
    expect(harness.decks.bed.level).toBe(0);
  });
});

test("told again, the pieces take new addresses, and the one in hand stays", async () => {
  const harness = await underReserve(60, 60);
  harness.player.reserve([
    { id: "r9", url: "https://storage.test/r9.mp3", seconds: 60, loudnessLufs: null },
    { id: "r1", url: "https://storage.test/r1.mp3?new", seconds: 60, loudnessLufs: null },
  ]);
  for (const url of ["https://storage.test/r9.mp3", "https://storage.test/r1.mp3?new"]) {
    harness.media.put(url, { durationSeconds: 60 });
  }
  await harness.pass(20);
  expect(harness.heard).toEqual([reserved(0)]);
  await harness.pass(45);
  expect(harness.heard).toEqual(["https://storage.test/r1.mp3"]);
});

test("the run is read as often under the reserve as before it", async () => {
  const told: string[] = [];
  const harness = new PlayerHarness({ heard: () => told.push(harness.heard.join()) });
  harness.player.start("run");
  harness.tell(QUEUED);
  harness.reserve(180);
  await harness.pass(30);
  expect(told).toEqual([]);
  const first = preview(harness);
  await harness.pass(6);
  expect(harness.heard).toEqual([first.previewUrl]);
  expect(told).toHaveLength(1);
});

describe("without a network after the tap", () => {
  test.each([true, false])(
    "what the browser keeps goes on to the end (told so: %s)",
    async (told) => {
      const harness = new PlayerHarness();
      const kept = { ...ready(9, 120), url: "blob:kept" };
      harness.media.put(kept.url, { durationSeconds: 120 });
      harness.player.start("run");
      harness.tell(QUEUED);
      for (const i of [0, 1, 2]) harness.media.put(reserved(i), { durationSeconds: 120 });
      harness.player.reserve([ready(0, 120), ready(1, 120), ready(2, 120), kept]);
      await harness.until(() => harness.heard.length === 1, 3);
      // The first is in the browser already; the others are not to be had any more.
      for (const i of [1, 2]) harness.media.put(reserved(i), null);
      if (told) harness.player.setOnline(false);
      await harness.until(() => harness.heard.includes("blob:kept"), 140);
      harness.media.put(reserved(0), null);
      expect(await untilFinished(harness)).toBeGreaterThan(1079);
      expect(harness.decks.audible).toEqual([]);
      expect(harness.most).toBeLessThanOrEqual(2);
    },
  );
});
