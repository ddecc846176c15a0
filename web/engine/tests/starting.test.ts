import { expect, test } from "vitest";
import { complete, failed, PlayerHarness, previewed, queued } from "./player-harness";

test("a tap brings the bed within a second, then the music by itself, and the bed leaves", async () => {
  const harness = new PlayerHarness();
  harness.player.start();
  expect(harness.player.snapshot().state).toBe("waiting");
  await harness.pass(1);
  expect(harness.decks.bed.level).toBe(1);
  harness.player.attach("run");
  harness.tell([queued(0), queued(1), queued(2)]);
  await harness.pass(30);
  expect(harness.decks.audible).toEqual([]);
  expect(harness.player.snapshot().waitingSince).toBe(0);
  const first = previewed(0);
  harness.serve(first);
  harness.tell([first, queued(1), queued(2)]);
  await harness.pass(1);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", kind: "preview" });
  expect(harness.heard).toEqual([first.previewUrl]);
  await harness.pass(3);
  expect(harness.decks.bed.level).toBe(0);
  expect(harness.silence(0.1)).toBe(0);
});

test("the first sound fades in over 3 seconds", async () => {
  const harness = new PlayerHarness();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.until(() => harness.decks.audible.length === 1);
  const begun = harness.clock.now();
  await harness.pass(3.2);
  const levels = harness.samples.filter(({ at, pieces }) => at > begun && pieces > 0);
  const half = levels.find(({ at }) => at >= begun + 1.5);
  expect(harness.decks.audible[0]?.level).toBeCloseTo(1);
  expect(levels[0]?.loudest).toBeLessThan(1.01);
  expect(half && harness.decks.audible[0] && half.loudest).toBeGreaterThan(0.3);
});

test("a replayed run plays its finals", async () => {
  const harness = new PlayerHarness();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(2);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", kind: "final" });
});

test("the bed has a switch of its own", async () => {
  const harness = new PlayerHarness({ settings: { bedOn: false } });
  harness.player.start();
  await harness.pass(2);
  expect(harness.decks.bed.level).toBe(0);
  harness.player.setBed(true);
  await harness.pass(1);
  expect(harness.decks.bed.level).toBe(1);
  harness.player.setBed(false);
  await harness.pass(1);
  expect(harness.decks.bed.level).toBe(0);
});

test("a run in which everything failed says so, the bed stays, and it heals when resumed", async () => {
  const harness = new PlayerHarness();
  harness.player.start("run");
  harness.tell([failed(0), failed(1), failed(2)]);
  await harness.pass(2);
  expect(harness.player.snapshot().state).toBe("failed");
  expect(harness.decks.bed.level).toBe(1);
  harness.tell([queued(0), queued(1), queued(2)]);
  await harness.pass(1);
  expect(harness.player.snapshot().state).toBe("waiting");
  const first = previewed(0);
  harness.serve(first);
  harness.tell([first, queued(1), queued(2)]);
  await harness.pass(1);
  expect(harness.player.snapshot().state).toBe("playing");
});

test("where the browser wants a tap, one button brings the music", async () => {
  const harness = new PlayerHarness();
  harness.decks.refusing = true;
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(1);
  expect(harness.player.snapshot()).toMatchObject({ state: "paused", needsGesture: true });
  expect(harness.decks.bed.level).toBe(0);
  harness.decks.refusing = false;
  harness.player.resume();
  await harness.pass(1);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", needsGesture: false });
});

test("a run that is not told yet is followed before the tap without a sound", async () => {
  const harness = new PlayerHarness();
  harness.player.attach("run");
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  harness.tell(segments);
  await harness.pass(5);
  expect(harness.player.snapshot()).toMatchObject({ state: "idle", totalSeconds: 1080 });
  expect(harness.samples.every(({ loudest }) => loudest === 0)).toBe(true);
  harness.player.start();
  await harness.pass(1);
  expect(harness.player.snapshot().state).toBe("playing");
});

test("after a reload the place comes back paused, and one tap plays on from there", async () => {
  const before = new PlayerHarness();
  const segments = [0, 1, 2, 3].map((i) => complete(i));
  segments.forEach((segment) => before.serve(segment));
  await before.begin(segments);
  await before.pass(372);
  const place = before.player.snapshot().place;
  before.player.dispose();
  expect(place).toMatchObject({ runId: "run", segmentIndex: 1 });

  const after = new PlayerHarness();
  segments.forEach((segment) => after.serve(segment));
  if (place) after.player.attach("run", place);
  after.tell(segments);
  await after.pass(2);
  expect(after.player.snapshot().state).toBe("paused");
  expect(after.player.snapshot().journeySeconds).toBeCloseTo(place?.journeySeconds ?? 0);
  expect(after.samples.every(({ loudest }) => loudest === 0)).toBe(true);
  after.player.resume();
  await after.pass(2);
  expect(after.player.snapshot()).toMatchObject({ state: "playing" });
  expect(after.player.snapshot().journeySeconds).toBeCloseTo((place?.journeySeconds ?? 0) + 1.8, 0);
});

test("another run lets go of the one before", async () => {
  const harness = new PlayerHarness();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(3);
  harness.player.start();
  await harness.pass(1);
  expect(harness.decks.audible).toEqual([]);
  expect(harness.player.snapshot()).toMatchObject({ state: "waiting", run: null });
});

test("nothing is left of a player that was disposed of", async () => {
  const harness = new PlayerHarness();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(3);
  harness.player.dispose();
  await harness.pass(20);
  expect(harness.decks.audible).toEqual([]);
  expect(harness.clock.pending).toBe(0);
});

test("a first preview of which little is there takes as long to cover the bed", async () => {
  const harness = new PlayerHarness();
  harness.player.start("run");
  harness.tell([queued(0), queued(1)]);
  await harness.pass(3);
  const first = previewed(0);
  harness.serve(first, { arrivedSeconds: 0.8 });
  harness.tell([first, queued(1)]);
  await harness.until(() => harness.decks.audible.length === 1);
  await harness.pass(0.1);
  harness.serve(first, { arrivedSeconds: 30 });
  await harness.until(() => harness.decks.bed.level < 1);
  await harness.pass(1.6);
  expect(harness.decks.bed.level).toBeGreaterThan(0.3);
});
