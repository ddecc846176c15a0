import { expect, test } from "vitest";
import { complete, previewed, queued, Stage } from "./stage";

const SEGMENTS = [0, 1, 2, 3].map((i) => complete(i));

async function begun(): Promise<Stage> {
  const stage = new Stage();
  SEGMENTS.forEach((segment) => stage.serve(segment));
  await stage.begin(SEGMENTS);
  return stage;
}

async function expectSilence(stage: Stage): Promise<void> {
  stage.player.stop();
  await stage.pass(0.05, 0.005);
  const from = stage.clock.now();
  await stage.pass(30, 0.01);
  const after = stage.samples.filter(({ at }) => at >= from);
  expect(after.every(({ loudest }) => loudest === 0)).toBe(true);
  expect(stage.player.snapshot().state).toBe("stopped");
  expect(stage.decks.decks.every((deck) => deck.url === null)).toBe(true);
  expect(stage.clock.pending).toBe(0);
  expect(stage.followed).toBe(false);
}

test("Stop silences a piece within 50 ms", async () => {
  const stage = await begun();
  await stage.pass(20);
  await expectSilence(stage);
});

test("Stop during the first fade", async () => {
  const stage = await begun();
  await stage.until(() => stage.decks.audible.length === 1);
  await stage.pass(1);
  await expectSilence(stage);
});

test("Stop during a crossfade", async () => {
  const stage = await begun();
  await stage.until(() => stage.decks.audible.length === 2, 400);
  await stage.pass(2);
  await expectSilence(stage);
});

test("Stop during a load", async () => {
  const stage = await begun();
  await stage.pass(10);
  stage.player.next();
  await stage.pass(0.1, 0.01);
  await expectSilence(stage);
});

test("Stop during a swap", async () => {
  const stage = new Stage();
  const first = previewed(0);
  stage.serve(first);
  await stage.begin([first, queued(1), queued(2)]);
  await stage.pass(10);
  stage.serve(complete(0));
  stage.tell([complete(0), queued(1), queued(2)]);
  await stage.pass(0.6, 0.01);
  await expectSilence(stage);
});

test("Stop before the first sound", async () => {
  const stage = new Stage();
  stage.player.start("run");
  stage.tell([queued(0), queued(1), queued(2)]);
  await stage.pass(5);
  expect(stage.decks.bed.level).toBe(1);
  await expectSilence(stage);
});

test("Stop while the first piece is being opened", async () => {
  const stage = await begun();
  stage.player.stop();
  stage.player.start("run");
  await stage.pass(0.15, 0.01);
  await expectSilence(stage);
});

test("Stop during a seek, a pause, the last fade", async () => {
  const seeking = await begun();
  await seeking.pass(10);
  seeking.player.seek(100);
  await seeking.pass(0.2, 0.01);
  await expectSilence(seeking);

  const pausing = await begun();
  await pausing.pass(10);
  pausing.player.pause();
  await pausing.pass(0.1, 0.01);
  await expectSilence(pausing);

  const closing = await begun();
  await closing.until(() => closing.player.snapshot().closing, 1500, 0.5);
  await closing.pass(2);
  await expectSilence(closing);
});

test("nothing that comes after Stop makes a sound, until start begins anew", async () => {
  const stage = new Stage();
  stage.player.start("run");
  await stage.pass(1);
  stage.player.stop();
  await stage.pass(0.1);
  SEGMENTS.forEach((segment) => stage.serve(segment));
  stage.tell(SEGMENTS);
  stage.player.resume();
  stage.player.next();
  stage.player.seek(10);
  await stage.pass(10);
  expect(stage.decks.audible).toEqual([]);
  expect(stage.decks.bed.level).toBe(0);
  stage.player.start("run");
  await stage.pass(2);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing" });
  expect(stage.player.snapshot().journeySeconds).toBeLessThan(2);
});

test("after Stop, and after the end, nothing is asked of a run that is still being composed", async () => {
  const stage = new Stage();
  stage.player.attach("run");
  expect(stage.followed).toBe(true);
  stage.player.stop();
  expect(stage.followed).toBe(false);

  const last = previewed(1);
  [complete(0), last].forEach((segment) => stage.serve(segment));
  stage.player.start("run");
  stage.tell([complete(0), last, queued(2)]);
  await stage.until(() => stage.player.snapshot().state === "finished", 1500, 1);
  expect(stage.followed).toBe(false);
});
