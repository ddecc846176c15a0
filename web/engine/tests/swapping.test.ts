import { expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, PlayerHarness, previewed, queued, stored } from "./player-harness";

async function previewing(harness: PlayerHarness, more: Partial<Segment> = {}): Promise<Segment> {
  const first = previewed(0, more);
  harness.serve(first);
  await harness.begin([first, queued(1), queued(2)]);
  await harness.pass(20);
  return first;
}

function finish(harness: PlayerHarness, more: Partial<Segment> = {}): void {
  const final = complete(0, more);
  harness.serve({ ...final, previewUrl: null });
  harness.tell([final, queued(1), queued(2)]);
}

test("the preview becomes the final at the same position, in 180 ms", async () => {
  const harness = new PlayerHarness();
  await previewing(harness);
  finish(harness);
  await harness.until(() => harness.decks.audible.length === 2, 5, 0.005);
  const [one, other] = harness.decks.audible;
  expect(Math.abs((one?.position ?? 0) - (other?.position ?? 9))).toBeLessThan(0.015);
  const begun = harness.clock.now();
  const sum = () => harness.decks.audible.reduce((all, deck) => all + deck.level, 0);
  const before = sum();
  await harness.pass(0.09, 0.01);
  expect(sum()).toBeCloseTo(before, 2);
  await harness.until(() => harness.decks.audible.length === 1, 5, 0.005);
  expect(harness.clock.now() - begun).toBeLessThan(0.2);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", kind: "final" });
  expect(harness.heard).toEqual([stored("s0")]);
  expect(harness.silence(1)).toBe(0);
});

test("the final is as loud as the preview was, then slides by at most 0.5 dB a second", async () => {
  const harness = new PlayerHarness();
  await previewing(harness);
  const loud = () => 20 * Math.log10(harness.decks.audible[0]?.level ?? 0);
  const preview = loud();
  finish(harness, { loudnessLufs: -20 });
  await harness.until(() => harness.player.snapshot().kind === "final", 10);
  await harness.until(() => harness.decks.audible.length === 1, 1);
  expect(loud()).toBeCloseTo(preview, 0);
  for (let before = loud(), i = 0; i < 20; i += 1, before = loud()) {
    await harness.pass(1);
    expect(Math.abs(loud() - before)).toBeLessThan(0.51);
  }
  expect(loud()).toBeCloseTo(2, 1);
});

test("a final that arrives during the first fade waits until it is over", async () => {
  const harness = new PlayerHarness();
  const first = previewed(0);
  harness.serve(first);
  await harness.begin([first, queued(1), queued(2)]);
  await harness.pass(1);
  finish(harness);
  await harness.pass(1.5);
  expect(harness.player.snapshot().kind).toBe("preview");
  await harness.pass(3);
  expect(harness.player.snapshot().kind).toBe("final");
});

test("a final that arrives during a crossfade waits until it is over", async () => {
  const harness = new PlayerHarness();
  const segments = [complete(0), previewed(1), queued(2), queued(3)];
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.until(() => harness.decks.audible.length === 2, 400);
  const final = complete(1);
  harness.serve(final);
  harness.tell([complete(0), final, queued(2), queued(3)]);
  await harness.pass(3);
  expect(harness.player.snapshot().kind).toBe("preview");
  expect(harness.decks.audible.length).toBe(2);
  await harness.pass(4);
  expect(harness.player.snapshot().kind).toBe("final");
  expect(harness.most).toBe(2);
  expect(harness.silence(1)).toBe(0);
});

test("a final shorter than the position is not swapped to; it carries the piece on", async () => {
  const harness = new PlayerHarness();
  await previewing(harness, { durationSeconds: null });
  await harness.pass(100);
  finish(harness, { durationSeconds: 60, secondTrack: null });
  await harness.pass(20);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", kind: "preview" });
  const { previewUrl } = previewed(0);
  harness.media.put(previewUrl ?? "", { durationSeconds: 140, live: true });
  await harness.pass(30);
  expect(harness.heard).toEqual([stored("s0")]);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", carriedOn: true });
  expect(harness.silence(1)).toBe(0);
});

test("two finals at once: the one that sounds is swapped, the next is ready for its turn", async () => {
  const harness = new PlayerHarness();
  const segments = [previewed(0), previewed(1), queued(2), queued(3)];
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(20);
  const finals = [complete(0), complete(1), queued(2), queued(3)];
  finals.forEach((segment) => harness.serve(segment));
  harness.tell(finals);
  await harness.pass(5);
  expect(harness.player.snapshot()).toMatchObject({ kind: "final", segment: { index: 0 } });
  await harness.until(() => harness.player.snapshot().segment?.index === 1, 400);
  expect(harness.player.snapshot().kind).toBe("final");
  expect(harness.silence(1)).toBe(0);
  expect(harness.most).toBe(2);
});

test("a swap that cannot be aligned within 5 seconds is given up, and tried again", async () => {
  const harness = new PlayerHarness();
  await previewing(harness);
  const final = complete(0);
  const file = { durationSeconds: 300, opensInSeconds: 2, seeksInSeconds: 6 };
  harness.media.put(stored("s0"), file);
  harness.tell([final, queued(1), queued(2)]);
  await harness.pass(12);
  expect(harness.player.snapshot().kind).toBe("preview");
  harness.media.put(stored("s0"), { durationSeconds: 300 });
  await harness.pass(15);
  expect(harness.player.snapshot().kind).toBe("final");
  expect(harness.silence(1)).toBe(0);
});

test("another track than the preview's never takes its place in the middle", async () => {
  const harness = new PlayerHarness();
  await previewing(harness);
  finish(harness, { sunoTrackId: "other" });
  await harness.pass(20);
  expect(harness.player.snapshot().kind).toBe("preview");
});

test("a preview host without CORS is heard all the same, then crossed to the final", async () => {
  const harness = new PlayerHarness();
  const first = previewed(0);
  harness.serve(first, { cors: false });
  await harness.begin([first, queued(1), queued(2)]);
  await harness.pass(10);
  expect(harness.decks.audible.map((deck) => deck.output)).toEqual(["plain"]);
  finish(harness);
  await harness.pass(5);
  expect(harness.decks.audible.map((deck) => deck.output)).toEqual(["graph"]);
  expect(harness.silence(1)).toBe(0);
});

test("where the volume cannot be set the swap is a mute swap in one task", async () => {
  const harness = new PlayerHarness({ plainOnly: true, fades: false });
  await previewing(harness);
  finish(harness);
  await harness.until(() => harness.player.snapshot().kind === "final", 10, 0.005);
  expect(harness.most).toBe(1);
  expect(harness.silence(1)).toBe(0);
});

test("a browser that never answers a seek does not keep the swap, and the journey goes on", async () => {
  const harness = new PlayerHarness();
  await previewing(harness);
  const next = previewed(1);
  harness.serve(next);
  // Not where it should be when it plays, so that it has to be sought.
  const strays = { startsBehindSeconds: 0.8, seeksInSeconds: Infinity };
  harness.media.put(stored("s0"), { durationSeconds: 300, ...strays });
  harness.tell([complete(0), next, queued(2)]);
  await harness.until(() => harness.player.snapshot().segment?.index === 1, 400);
  expect(harness.silence(1)).toBe(0);
});
