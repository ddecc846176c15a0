import { expect, test } from "vitest";
import { complete, PlayerHarness, previewed, queued } from "./player-harness";

const SEGMENTS = [0, 1, 2, 3].map((i) => complete(i));

async function begun(): Promise<PlayerHarness> {
  const harness = new PlayerHarness();
  SEGMENTS.forEach((segment) => harness.serve(segment));
  await harness.begin(SEGMENTS);
  return harness;
}

async function expectSilence(harness: PlayerHarness): Promise<void> {
  harness.player.stop();
  await harness.pass(0.05, 0.005);
  const from = harness.clock.now();
  await harness.pass(30, 0.01);
  const after = harness.samples.filter(({ at }) => at >= from);
  expect(after.every(({ loudest }) => loudest === 0)).toBe(true);
  expect(harness.player.snapshot().state).toBe("stopped");
  expect(harness.decks.decks.every((deck) => deck.url === null)).toBe(true);
  expect(harness.clock.pending).toBe(0);
  expect(harness.followed).toBe(false);
}

test("Stop silences a piece within 50 ms", async () => {
  const harness = await begun();
  await harness.pass(20);
  await expectSilence(harness);
});

test("Stop during the first fade", async () => {
  const harness = await begun();
  await harness.until(() => harness.decks.audible.length === 1);
  await harness.pass(1);
  await expectSilence(harness);
});

test("Stop during a crossfade", async () => {
  const harness = await begun();
  await harness.until(() => harness.decks.audible.length === 2, 400);
  await harness.pass(2);
  await expectSilence(harness);
});

test("Stop during a load", async () => {
  const harness = await begun();
  await harness.pass(10);
  harness.player.next();
  await harness.pass(0.1, 0.01);
  await expectSilence(harness);
});

test("Stop during a swap", async () => {
  const harness = new PlayerHarness();
  const first = previewed(0);
  harness.serve(first);
  await harness.begin([first, queued(1), queued(2)]);
  await harness.pass(10);
  harness.serve(complete(0));
  harness.tell([complete(0), queued(1), queued(2)]);
  await harness.pass(0.6, 0.01);
  await expectSilence(harness);
});

test("Stop before the first sound", async () => {
  const harness = new PlayerHarness();
  harness.player.start("run");
  harness.tell([queued(0), queued(1), queued(2)]);
  await harness.pass(5);
  expect(harness.decks.bed.level).toBe(1);
  await expectSilence(harness);
});

test("Stop while the first piece is being opened", async () => {
  const harness = await begun();
  harness.player.stop();
  harness.player.start("run");
  await harness.pass(0.15, 0.01);
  await expectSilence(harness);
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
  const harness = new PlayerHarness();
  harness.player.start("run");
  await harness.pass(1);
  harness.player.stop();
  await harness.pass(0.1);
  SEGMENTS.forEach((segment) => harness.serve(segment));
  harness.tell(SEGMENTS);
  harness.player.resume();
  harness.player.next();
  harness.player.seek(10);
  await harness.pass(10);
  expect(harness.decks.audible).toEqual([]);
  expect(harness.decks.bed.level).toBe(0);
  harness.player.start("run");
  await harness.pass(2);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing" });
  expect(harness.player.snapshot().journeySeconds).toBeLessThan(2);
});

test("after Stop, and after the end, nothing is asked of a run that is still being composed", async () => {
  const harness = new PlayerHarness();
  harness.player.attach("run");
  expect(harness.followed).toBe(true);
  harness.player.stop();
  expect(harness.followed).toBe(false);

  const last = previewed(1);
  [complete(0), last].forEach((segment) => harness.serve(segment));
  harness.player.start("run");
  harness.tell([complete(0), last, queued(2)]);
  await harness.until(() => harness.player.snapshot().state === "finished", 1500, 1);
  expect(harness.followed).toBe(false);
});
