import { expect, test } from "vitest";
import { complete, failed, previewed, queued, Stage } from "./stage";

test("a tap brings the bed within a second, then the music by itself, and the bed leaves", async () => {
  const stage = new Stage();
  stage.player.start();
  expect(stage.player.snapshot().state).toBe("waiting");
  await stage.pass(1);
  expect(stage.decks.bed.level).toBe(1);
  stage.player.attach("run");
  stage.tell([queued(0), queued(1), queued(2)]);
  await stage.pass(30);
  expect(stage.decks.audible).toEqual([]);
  expect(stage.player.snapshot().waitingSince).toBe(0);
  const first = previewed(0);
  stage.serve(first);
  stage.tell([first, queued(1), queued(2)]);
  await stage.pass(1);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", kind: "preview" });
  expect(stage.heard).toEqual([first.previewUrl]);
  await stage.pass(3);
  expect(stage.decks.bed.level).toBe(0);
  expect(stage.silence(0.1)).toBe(0);
});

test("the first sound fades in over 3 seconds", async () => {
  const stage = new Stage();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.until(() => stage.decks.audible.length === 1);
  const begun = stage.clock.now();
  await stage.pass(3.2);
  const levels = stage.samples.filter(({ at, pieces }) => at > begun && pieces > 0);
  const half = levels.find(({ at }) => at >= begun + 1.5);
  expect(stage.decks.audible[0]?.level).toBeCloseTo(1);
  expect(levels[0]?.loudest).toBeLessThan(1.01);
  expect(half && stage.decks.audible[0] && half.loudest).toBeGreaterThan(0.3);
});

test("a replayed run plays its finals", async () => {
  const stage = new Stage();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(2);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", kind: "final" });
});

test("the bed has a switch of its own", async () => {
  const stage = new Stage({ settings: { bedOn: false } });
  stage.player.start();
  await stage.pass(2);
  expect(stage.decks.bed.level).toBe(0);
  stage.player.setBed(true);
  await stage.pass(1);
  expect(stage.decks.bed.level).toBe(1);
  stage.player.setBed(false);
  await stage.pass(1);
  expect(stage.decks.bed.level).toBe(0);
});

test("a run in which everything failed says so, the bed stays, and it heals when resumed", async () => {
  const stage = new Stage();
  stage.player.start("run");
  stage.tell([failed(0), failed(1), failed(2)]);
  await stage.pass(2);
  expect(stage.player.snapshot().state).toBe("failed");
  expect(stage.decks.bed.level).toBe(1);
  stage.tell([queued(0), queued(1), queued(2)]);
  await stage.pass(1);
  expect(stage.player.snapshot().state).toBe("waiting");
  const first = previewed(0);
  stage.serve(first);
  stage.tell([first, queued(1), queued(2)]);
  await stage.pass(1);
  expect(stage.player.snapshot().state).toBe("playing");
});

test("where the browser wants a tap, one button brings the music", async () => {
  const stage = new Stage();
  stage.decks.refusing = true;
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(1);
  expect(stage.player.snapshot()).toMatchObject({ state: "paused", needsGesture: true });
  expect(stage.decks.bed.level).toBe(0);
  stage.decks.refusing = false;
  stage.player.resume();
  await stage.pass(1);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", needsGesture: false });
});

test("a run that is not told yet is followed before the tap without a sound", async () => {
  const stage = new Stage();
  stage.player.attach("run");
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  stage.tell(segments);
  await stage.pass(5);
  expect(stage.player.snapshot()).toMatchObject({ state: "idle", totalSeconds: 1080 });
  expect(stage.samples.every(({ loudest }) => loudest === 0)).toBe(true);
  stage.player.start();
  await stage.pass(1);
  expect(stage.player.snapshot().state).toBe("playing");
});

test("after a reload the place comes back paused, and one tap plays on from there", async () => {
  const before = new Stage();
  const segments = [0, 1, 2, 3].map((i) => complete(i));
  segments.forEach((segment) => before.serve(segment));
  await before.begin(segments);
  await before.pass(372);
  const place = before.player.snapshot().place;
  before.player.dispose();
  expect(place).toMatchObject({ runId: "run", segmentIndex: 1 });

  const after = new Stage();
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
  const stage = new Stage();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(3);
  stage.player.start();
  await stage.pass(1);
  expect(stage.decks.audible).toEqual([]);
  expect(stage.player.snapshot()).toMatchObject({ state: "waiting", run: null });
});

test("nothing is left of a player that was disposed of", async () => {
  const stage = new Stage();
  const segments = [0, 1, 2].map((i) => complete(i));
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(3);
  stage.player.dispose();
  await stage.pass(20);
  expect(stage.decks.audible).toEqual([]);
  expect(stage.clock.pending).toBe(0);
});

test("a first preview of which little is there takes as long to cover the bed", async () => {
  const stage = new Stage();
  stage.player.start("run");
  stage.tell([queued(0), queued(1)]);
  await stage.pass(3);
  const first = previewed(0);
  stage.serve(first, { arrivedSeconds: 0.8 });
  stage.tell([first, queued(1)]);
  await stage.until(() => stage.decks.audible.length === 1);
  await stage.pass(0.1);
  stage.serve(first, { arrivedSeconds: 30 });
  await stage.until(() => stage.decks.bed.level < 1);
  await stage.pass(1.6);
  expect(stage.decks.bed.level).toBeGreaterThan(0.3);
});
