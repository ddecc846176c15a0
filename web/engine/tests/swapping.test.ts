import { expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, previewed, queued, Stage, stored } from "./stage";

async function previewing(stage: Stage, more: Partial<Segment> = {}): Promise<Segment> {
  const first = previewed(0, more);
  stage.serve(first);
  await stage.begin([first, queued(1), queued(2)]);
  await stage.pass(20);
  return first;
}

function finish(stage: Stage, more: Partial<Segment> = {}): void {
  const final = complete(0, more);
  stage.serve({ ...final, previewUrl: null });
  stage.tell([final, queued(1), queued(2)]);
}

test("the preview becomes the final at the same position, in 190 ms", async () => {
  const stage = new Stage();
  await previewing(stage);
  finish(stage);
  await stage.until(() => stage.decks.audible.length === 2, 5, 0.005);
  const [one, other] = stage.decks.audible;
  expect(Math.abs((one?.position ?? 0) - (other?.position ?? 9))).toBeLessThan(0.015);
  const begun = stage.clock.now();
  const sum = () => stage.decks.audible.reduce((all, deck) => all + deck.level, 0);
  const before = sum();
  await stage.pass(0.09, 0.01);
  expect(sum()).toBeCloseTo(before, 2);
  await stage.until(() => stage.decks.audible.length === 1, 5, 0.005);
  expect(stage.clock.now() - begun).toBeLessThan(0.2);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", kind: "final" });
  expect(stage.heard).toEqual([stored("s0")]);
  expect(stage.silence(1)).toBe(0);
});

test("the final is as loud as the preview was, then slides by at most 0.5 dB a second", async () => {
  const stage = new Stage();
  await previewing(stage);
  const loud = () => 20 * Math.log10(stage.decks.audible[0]?.level ?? 0);
  const preview = loud();
  finish(stage, { loudnessLufs: -20 });
  await stage.until(() => stage.player.snapshot().kind === "final", 10);
  await stage.pass(0.25);
  expect(loud()).toBeCloseTo(preview, 0);
  for (let before = loud(), i = 0; i < 20; i += 1, before = loud()) {
    await stage.pass(1);
    expect(Math.abs(loud() - before)).toBeLessThan(0.51);
  }
  expect(loud()).toBeCloseTo(2, 1);
});

test("a final that arrives during the first fade waits until it is over", async () => {
  const stage = new Stage();
  const first = previewed(0);
  stage.serve(first);
  await stage.begin([first, queued(1), queued(2)]);
  await stage.pass(1);
  finish(stage);
  await stage.pass(1.5);
  expect(stage.player.snapshot().kind).toBe("preview");
  await stage.pass(3);
  expect(stage.player.snapshot().kind).toBe("final");
});

test("a final that arrives during a crossfade waits until it is over", async () => {
  const stage = new Stage();
  const segments = [complete(0), previewed(1), queued(2), queued(3)];
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.until(() => stage.decks.audible.length === 2, 400);
  const final = complete(1);
  stage.serve(final);
  stage.tell([complete(0), final, queued(2), queued(3)]);
  await stage.pass(3);
  expect(stage.player.snapshot().kind).toBe("preview");
  expect(stage.decks.audible.length).toBe(2);
  await stage.pass(4);
  expect(stage.player.snapshot().kind).toBe("final");
  expect(stage.most).toBe(2);
  expect(stage.silence(1)).toBe(0);
});

test("a final shorter than the position is not swapped to; it carries the piece on", async () => {
  const stage = new Stage();
  await previewing(stage, { durationSeconds: null });
  await stage.pass(100);
  finish(stage, { durationSeconds: 60, secondTrack: null });
  await stage.pass(20);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", kind: "preview" });
  const { previewUrl } = previewed(0);
  stage.media.put(previewUrl ?? "", { durationSeconds: 140, live: true });
  await stage.pass(30);
  expect(stage.heard).toEqual([stored("s0")]);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", carriedOn: true });
  expect(stage.silence(1)).toBe(0);
});

test("two finals at once: the one that sounds is swapped, the next is ready for its turn", async () => {
  const stage = new Stage();
  const segments = [previewed(0), previewed(1), queued(2), queued(3)];
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(20);
  const finals = [complete(0), complete(1), queued(2), queued(3)];
  finals.forEach((segment) => stage.serve(segment));
  stage.tell(finals);
  await stage.pass(5);
  expect(stage.player.snapshot()).toMatchObject({ kind: "final", segment: { index: 0 } });
  await stage.until(() => stage.player.snapshot().segment?.index === 1, 400);
  expect(stage.player.snapshot().kind).toBe("final");
  expect(stage.silence(1)).toBe(0);
  expect(stage.most).toBe(2);
});

test("a swap that cannot be aligned within 5 seconds is given up, and tried again", async () => {
  const stage = new Stage();
  await previewing(stage);
  const final = complete(0);
  const file = { durationSeconds: 300, opensInSeconds: 2, seeksInSeconds: 6 };
  stage.media.put(stored("s0"), file);
  stage.tell([final, queued(1), queued(2)]);
  await stage.pass(12);
  expect(stage.player.snapshot().kind).toBe("preview");
  stage.media.put(stored("s0"), { durationSeconds: 300 });
  await stage.pass(15);
  expect(stage.player.snapshot().kind).toBe("final");
  expect(stage.silence(1)).toBe(0);
});

test("another track than the preview's never takes its place in the middle", async () => {
  const stage = new Stage();
  await previewing(stage);
  finish(stage, { sunoTrackId: "other" });
  await stage.pass(20);
  expect(stage.player.snapshot().kind).toBe("preview");
});

test("a preview host without CORS is heard all the same, then crossed to the final", async () => {
  const stage = new Stage();
  const first = previewed(0);
  stage.serve(first, { cors: false });
  await stage.begin([first, queued(1), queued(2)]);
  await stage.pass(10);
  expect(stage.decks.audible.map((deck) => deck.way)).toEqual(["plain"]);
  finish(stage);
  await stage.pass(5);
  expect(stage.decks.audible.map((deck) => deck.way)).toEqual(["graph"]);
  expect(stage.silence(1)).toBe(0);
});

test("where the volume cannot be set the swap is a mute swap in one task", async () => {
  const stage = new Stage({ plainOnly: true, fades: false });
  await previewing(stage);
  finish(stage);
  await stage.until(() => stage.player.snapshot().kind === "final", 10, 0.005);
  expect(stage.most).toBe(1);
  expect(stage.silence(1)).toBe(0);
});
