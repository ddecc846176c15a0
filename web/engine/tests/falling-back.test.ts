import { expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, PlayerHarness, previewed, queued, stored } from "./player-harness";
import { World } from "./random-actions";
import { SETTINGS } from "./short-settings";

const FINAL = "https://final.test/s0.mp3";

async function playing(harness: PlayerHarness, ...segments: Segment[]): Promise<void> {
  segments.forEach((segment) => harness.serve(segment));
  await harness.begin(segments);
  await harness.pass(10);
}

test("a stored track comes before the final address, and that before the preview", async () => {
  const harness = new PlayerHarness();
  await playing(harness, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  expect(harness.heard).toEqual([stored("s0")]);
});

test("where signing fails the final address is played", async () => {
  const harness = new PlayerHarness();
  harness.signing = "fails";
  await playing(harness, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  expect(harness.heard).toEqual([FINAL]);
  expect(harness.player.snapshot().kind).toBe("final");
});

test("where signing fails and the final address is gone the preview is played", async () => {
  const harness = new PlayerHarness();
  harness.signing = "fails";
  const segment = complete(0, { finalUrl: FINAL });
  harness.serve(segment);
  harness.media.put(FINAL, null);
  await harness.begin([segment, queued(1), queued(2)]);
  await harness.pass(10);
  expect(harness.heard).toEqual([segment.previewUrl]);
});

test("where signing never answers the next source is played", async () => {
  const harness = new PlayerHarness();
  harness.signing = "hangs";
  await playing(harness, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  await harness.pass(25);
  expect(harness.heard).toEqual([FINAL]);
});

test("where no source works the bed stays, and the music comes when one does", async () => {
  const harness = new PlayerHarness();
  const segment = previewed(0);
  await harness.begin([segment, queued(1), queued(2)]);
  await harness.pass(30);
  expect(harness.player.snapshot().state).toBe("waiting");
  expect(harness.decks.bed.level).toBe(1);
  harness.serve(segment);
  await harness.pass(7);
  expect(harness.heard).toEqual([segment.previewUrl]);
  expect(harness.silence(1)).toBe(0);
});

test("a media error signs once more and goes on at the same position", async () => {
  const harness = new PlayerHarness();
  await playing(harness, complete(0), complete(1), complete(2));
  await harness.pass(50);
  const place = harness.player.snapshot().pieceSeconds;
  harness.media.put(stored("s0"), null);
  harness.media.put(stored("s0"), { durationSeconds: 300 });
  await harness.pass(0.1);
  expect(harness.player.snapshot().state).toBe("stalled");
  await harness.pass(3);
  expect(harness.player.snapshot().state).toBe("playing");
  expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(place + 2);
  expect(harness.player.snapshot().pieceSeconds).toBeLessThan(place + 3.2);
  expect(harness.signed.filter((id) => id === "s0")).toEqual(["s0", "s0"]);
  expect(harness.silence(1)).toBeLessThan(0.1);
});

test("a file lost for good falls to the preview at the same position, the bed under it", async () => {
  const harness = new PlayerHarness();
  await playing(harness, complete(0), queued(1), queued(2));
  await harness.pass(50);
  harness.media.put(stored("s0"), null);
  await harness.pass(3);
  expect(harness.heard).toEqual([complete(0).previewUrl]);
  expect(harness.player.snapshot().pieceSeconds).toBeGreaterThan(60);
  expect(harness.silence(1)).toBeLessThan(0.1);
});

test("a segment that cannot be rescued is left for the next", async () => {
  const harness = new PlayerHarness();
  await playing(harness, complete(0), complete(1), complete(2));
  harness.media.put(stored("s0"), null);
  harness.media.put(complete(0).previewUrl ?? "", null);
  harness.media.put("https://second.test/s0.mp3", null);
  await harness.pass(20);
  expect(harness.heard).toEqual([stored("s1")]);
  expect(harness.silence(1)).toBeLessThan(0.1);
});

test("a stall brings the bed, and the music comes back by itself", async () => {
  const harness = new PlayerHarness();
  const first = previewed(0);
  harness.serve(first);
  await harness.begin([first, queued(1), queued(2)]);
  harness.media.put(first.previewUrl ?? "", {
    durationSeconds: 300,
    live: true,
    arrivedSeconds: 20,
  });
  await harness.pass(22);
  expect(harness.player.snapshot()).toMatchObject({ state: "stalled" });
  expect(harness.player.snapshot().waitingSince).not.toBeNull();
  expect(harness.decks.bed.level).toBe(1);
  expect(harness.silence(1)).toBe(0);
  harness.media.put(first.previewUrl ?? "", { durationSeconds: 300, live: true });
  await harness.pass(3);
  expect(harness.player.snapshot()).toMatchObject({ state: "playing", waitingSince: null });
  expect(harness.decks.bed.level).toBe(0);
});

test("a preview that stalls is left for its final as soon as there is one", async () => {
  const harness = new PlayerHarness();
  const first = previewed(0);
  harness.serve(first, { arrivedSeconds: 20, durationSeconds: 300 });
  await harness.begin([first, queued(1), queued(2)]);
  await harness.pass(22);
  harness.serve({ ...complete(0), previewUrl: null });
  harness.tell([complete(0), queued(1), queued(2)]);
  await harness.pass(2);
  expect(harness.heard).toEqual([stored("s0")]);
  expect(harness.player.snapshot().state).toBe("playing");
  expect(harness.silence(1)).toBe(0);
});

test("paused for two hours, it plays on at once and crosses to a fresh address", async () => {
  const harness = new PlayerHarness();
  const segments = [complete(0), complete(1), complete(2)];
  segments.forEach((segment) => harness.serve(segment));
  harness.media.put(stored("s0"), { durationSeconds: 300, arrivedSeconds: 90 });
  await harness.begin(segments);
  await harness.pass(60);
  const place = harness.player.snapshot().pieceSeconds;
  harness.player.pause();
  await harness.pass(7200, 60);
  const sign = () => harness.signed.filter((id) => id === "s0").length;
  expect(sign()).toBe(1);
  harness.player.resume();
  await harness.pass(1);
  expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(place + 1, 0);
  await harness.pass(6);
  expect(sign()).toBe(2);
  expect(harness.decks.audible[0]?.url).toContain("n=3");
  expect(harness.player.snapshot().pieceSeconds).toBeCloseTo(place + 7, 0);
});

test("an address is signed once as long as it is valid", async () => {
  const harness = new PlayerHarness();
  const segments = [complete(0), complete(1), complete(2)];
  await playing(harness, ...segments);
  harness.player.next();
  await harness.pass(5);
  harness.player.previous();
  await harness.pass(5);
  expect(harness.heard).toEqual([stored("s0")]);
  expect(harness.signed.filter((id) => id === "s0")).toEqual(["s0"]);
});

test("without a network it says so, keeps playing, and recovers alone", async () => {
  const harness = new PlayerHarness();
  await playing(harness, complete(0, { previewUrl: null }), queued(1), queued(2));
  harness.player.setOnline(false);
  expect(harness.player.snapshot()).toMatchObject({ network: "offline", state: "playing" });
  harness.media.put(stored("s0"), { durationSeconds: 300, arrivedSeconds: 40 });
  harness.signing = "fails";
  await harness.pass(60);
  expect(harness.player.snapshot().state).toBe("stalled");
  expect(harness.decks.bed.level).toBe(1);
  harness.signing = "works";
  harness.media.put(stored("s0"), { durationSeconds: 300 });
  harness.player.setOnline(true);
  await harness.pass(4);
  expect(harness.player.snapshot()).toMatchObject({ network: "online", state: "playing" });
  expect(harness.player.snapshot().segment?.index).toBe(0);
  harness.reachable(false);
  expect(harness.player.snapshot().network).toBe("offline");
});

test("a piece ends where its sound ends: what follows crosses in before the silent tail", async () => {
  const harness = new PlayerHarness();
  const tail = { plannedSeconds: 300, soundEndSeconds: 240, secondTrack: null };
  await playing(harness, complete(0, tail), complete(1), complete(2), complete(3));
  await harness.until(() => harness.decks.audible.length === 2, 300);
  expect(harness.player.snapshot().journeySeconds).toBeGreaterThan(230);
  expect(harness.player.snapshot().journeySeconds).toBeLessThan(240);
});

test("where nothing follows the end of sound in time the bed does", async () => {
  const harness = new PlayerHarness();
  const tail = { soundEndSeconds: 60, secondTrack: null };
  const first = complete(0, tail);
  await playing(harness, first, queued(1), queued(2));
  await harness.until(() => harness.player.snapshot().pieceSeconds > 40, 60);
  harness.media.put(stored("s0"), null);
  harness.signing = "fails";
  harness.media.put(first.previewUrl ?? "", null);
  await harness.until(() => harness.player.snapshot().state === "stalled", 40);
  await harness.pass(1);
  expect(harness.decks.bed.level).toBeGreaterThan(0.5);
});

test("a piece that was paused at its very end begins anew, and the journey goes on", async () => {
  const harness = new PlayerHarness({ settings: SETTINGS });
  const world = new World(harness);
  harness.player.start("run");
  world.act({ do: "progress", index: 2, to: "complete" });
  world.act({ do: "progress", index: 2, to: "queued" });
  await harness.pass(4.05);
  harness.player.seek(9);
  await harness.pass(1.5);
  expect(harness.player.snapshot().state).toBe("stalled");
  harness.player.pause();
  const { journeySeconds } = harness.player.snapshot();
  world.heal();
  harness.player.resume();
  await harness.until(() => harness.player.snapshot().state === "playing");
  expect(harness.player.snapshot().journeySeconds).toBeGreaterThanOrEqual(journeySeconds);
  expect(harness.decks.audible).toHaveLength(1);
});
