import { expect, test } from "vitest";
import type { Segment } from "../run";
import { complete, previewed, queued, Stage, stored } from "./stage";

const FINAL = "https://final.test/s0.mp3";

async function playing(stage: Stage, ...segments: Segment[]): Promise<void> {
  segments.forEach((segment) => stage.serve(segment));
  await stage.begin(segments);
  await stage.pass(10);
}

test("a stored track comes before the final address, and that before the preview", async () => {
  const stage = new Stage();
  await playing(stage, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  expect(stage.heard).toEqual([stored("s0")]);
});

test("where signing fails the final address is played", async () => {
  const stage = new Stage();
  stage.signing = "fails";
  await playing(stage, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  expect(stage.heard).toEqual([FINAL]);
  expect(stage.player.snapshot().kind).toBe("final");
});

test("where signing fails and the final address is gone the preview is played", async () => {
  const stage = new Stage();
  stage.signing = "fails";
  const segment = complete(0, { finalUrl: FINAL });
  stage.serve(segment);
  stage.media.put(FINAL, null);
  await stage.begin([segment, queued(1), queued(2)]);
  await stage.pass(10);
  expect(stage.heard).toEqual([segment.previewUrl]);
});

test("where signing never answers the next source is played", async () => {
  const stage = new Stage();
  stage.signing = "hangs";
  await playing(stage, complete(0, { finalUrl: FINAL }), queued(1), queued(2));
  await stage.pass(25);
  expect(stage.heard).toEqual([FINAL]);
});

test("where no source works the bed stays, and the music comes when one does", async () => {
  const stage = new Stage();
  const segment = previewed(0);
  await stage.begin([segment, queued(1), queued(2)]);
  await stage.pass(30);
  expect(stage.player.snapshot().state).toBe("waiting");
  expect(stage.decks.bed.level).toBe(1);
  stage.serve(segment);
  await stage.pass(7);
  expect(stage.heard).toEqual([segment.previewUrl]);
  expect(stage.silence(1)).toBe(0);
});

test("a media error signs once more and goes on at the same position", async () => {
  const stage = new Stage();
  await playing(stage, complete(0), complete(1), complete(2));
  await stage.pass(50);
  const place = stage.player.snapshot().pieceSeconds;
  stage.media.put(stored("s0"), null);
  stage.media.put(stored("s0"), { durationSeconds: 300 });
  await stage.pass(0.1);
  expect(stage.player.snapshot().state).toBe("stalled");
  await stage.pass(3);
  expect(stage.player.snapshot().state).toBe("playing");
  expect(stage.player.snapshot().pieceSeconds).toBeGreaterThan(place + 2);
  expect(stage.player.snapshot().pieceSeconds).toBeLessThan(place + 3.2);
  expect(stage.signed.filter((id) => id === "s0")).toEqual(["s0", "s0"]);
  expect(stage.silence(1)).toBeLessThan(0.1);
});

test("a file lost for good falls to the preview at the same position, the bed under it", async () => {
  const stage = new Stage();
  await playing(stage, complete(0), queued(1), queued(2));
  await stage.pass(50);
  stage.media.put(stored("s0"), null);
  await stage.pass(3);
  expect(stage.heard).toEqual([complete(0).previewUrl]);
  expect(stage.player.snapshot().pieceSeconds).toBeGreaterThan(60);
  expect(stage.silence(1)).toBeLessThan(0.1);
});

test("a segment that cannot be rescued is left for the next", async () => {
  const stage = new Stage();
  await playing(stage, complete(0), complete(1), complete(2));
  stage.media.put(stored("s0"), null);
  stage.media.put(complete(0).previewUrl ?? "", null);
  stage.media.put("https://second.test/s0.mp3", null);
  await stage.pass(20);
  expect(stage.heard).toEqual([stored("s1")]);
  expect(stage.silence(1)).toBeLessThan(0.1);
});

test("a stall brings the bed, and the music comes back by itself", async () => {
  const stage = new Stage();
  const first = previewed(0);
  stage.serve(first);
  await stage.begin([first, queued(1), queued(2)]);
  stage.media.put(first.previewUrl ?? "", { durationSeconds: 300, live: true, arrivedSeconds: 20 });
  await stage.pass(22);
  expect(stage.player.snapshot()).toMatchObject({ state: "stalled" });
  expect(stage.player.snapshot().waitingSince).not.toBeNull();
  expect(stage.decks.bed.level).toBe(1);
  expect(stage.silence(1)).toBe(0);
  stage.media.put(first.previewUrl ?? "", { durationSeconds: 300, live: true });
  await stage.pass(3);
  expect(stage.player.snapshot()).toMatchObject({ state: "playing", waitingSince: null });
  expect(stage.decks.bed.level).toBe(0);
});

test("a preview that stalls is left for its final as soon as there is one", async () => {
  const stage = new Stage();
  const first = previewed(0);
  stage.serve(first, { arrivedSeconds: 20, durationSeconds: 300 });
  await stage.begin([first, queued(1), queued(2)]);
  await stage.pass(22);
  stage.serve({ ...complete(0), previewUrl: null });
  stage.tell([complete(0), queued(1), queued(2)]);
  await stage.pass(2);
  expect(stage.heard).toEqual([stored("s0")]);
  expect(stage.player.snapshot().state).toBe("playing");
  expect(stage.silence(1)).toBe(0);
});

test("paused for two hours, it plays on at once and crosses to a fresh address", async () => {
  const stage = new Stage();
  const segments = [complete(0), complete(1), complete(2)];
  segments.forEach((segment) => stage.serve(segment));
  stage.media.put(stored("s0"), { durationSeconds: 300, arrivedSeconds: 90 });
  await stage.begin(segments);
  await stage.pass(60);
  const place = stage.player.snapshot().pieceSeconds;
  stage.player.pause();
  await stage.pass(7200, 60);
  const sign = () => stage.signed.filter((id) => id === "s0").length;
  expect(sign()).toBe(1);
  stage.player.resume();
  await stage.pass(1);
  expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(place + 1, 0);
  await stage.pass(6);
  expect(sign()).toBe(2);
  expect(stage.decks.audible[0]?.url).toContain("n=3");
  expect(stage.player.snapshot().pieceSeconds).toBeCloseTo(place + 7, 0);
});

test("an address is signed once as long as it is valid", async () => {
  const stage = new Stage();
  const segments = [complete(0), complete(1), complete(2)];
  await playing(stage, ...segments);
  stage.player.next();
  await stage.pass(5);
  stage.player.previous();
  await stage.pass(5);
  expect(stage.heard).toEqual([stored("s0")]);
  expect(stage.signed.filter((id) => id === "s0")).toEqual(["s0"]);
});

test("without a network it says so, keeps playing, and recovers alone", async () => {
  const stage = new Stage();
  await playing(stage, complete(0, { previewUrl: null }), queued(1), queued(2));
  stage.player.setOnline(false);
  expect(stage.player.snapshot()).toMatchObject({ network: "offline", state: "playing" });
  stage.media.put(stored("s0"), { durationSeconds: 300, arrivedSeconds: 40 });
  stage.signing = "fails";
  await stage.pass(60);
  expect(stage.player.snapshot().state).toBe("stalled");
  expect(stage.decks.bed.level).toBe(1);
  stage.signing = "works";
  stage.media.put(stored("s0"), { durationSeconds: 300 });
  stage.player.setOnline(true);
  await stage.pass(4);
  expect(stage.player.snapshot()).toMatchObject({ network: "online", state: "playing" });
  expect(stage.player.snapshot().segment?.index).toBe(0);
  stage.reachable(false);
  expect(stage.player.snapshot().network).toBe("offline");
});

test("a piece ends where its sound ends: what follows crosses in before the silent tail", async () => {
  const stage = new Stage();
  const tail = { plannedSeconds: 300, soundEndSeconds: 240, secondTrack: null };
  await playing(stage, complete(0, tail), complete(1), complete(2), complete(3));
  await stage.until(() => stage.decks.audible.length === 2, 300);
  expect(stage.player.snapshot().journeySeconds).toBeGreaterThan(230);
  expect(stage.player.snapshot().journeySeconds).toBeLessThan(240);
});

test("where nothing follows the end of sound in time the bed does", async () => {
  const stage = new Stage();
  const tail = { soundEndSeconds: 60, secondTrack: null };
  const first = complete(0, tail);
  await playing(stage, first, queued(1), queued(2));
  await stage.until(() => stage.player.snapshot().pieceSeconds > 40, 60);
  stage.media.put(stored("s0"), null);
  stage.signing = "fails";
  stage.media.put(first.previewUrl ?? "", null);
  await stage.until(() => stage.player.snapshot().state === "stalled", 40);
  await stage.pass(1);
  expect(stage.decks.bed.level).toBeGreaterThan(0.5);
});
