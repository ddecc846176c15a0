import { afterEach, expect, test, vi } from "vitest";
import { FakeDecks } from "../engine/testing/fake-decks";
import { FakeMedia } from "../engine/testing/fake-media";
import { newClock } from "../engine/tests/clock";
import { FakeSupabase } from "../supabase/tests/fake-supabase";
import { embed } from "./embed";

const TRACK = "https://project.example/storage/v1/object/sign/parcours-tracks/a.mp3";

const RUN = {
  id: "run",
  status: "ready",
  parcours_segments: [0, 1, 2].map((place) => ({
    id: `s${place}`,
    segment_index: place,
    status: "complete",
    preview_url: null,
    final_url: null,
    storage_path: `runs/run/s${place}.mp3`,
    duration_seconds: 360,
    metadata: { planned_seconds: 360, loudness_lufs: -18, true_peak_dbtp: -6 },
  })),
};

/** The decks play in fake time, while the player waits in real time. */
const WITHIN = { timeout: 5000, interval: 10 };

afterEach(() => vi.unstubAllGlobals());

test("five lines bring a run of another page's Supabase client to the ear, and Stop ends it", async () => {
  const page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("document", page);
  const supabase = new FakeSupabase();
  supabase.answer({ body: RUN }, { body: { url: TRACK } });
  const clock = newClock();
  const heard = () => decks.audible.map((deck) => deck.url);
  const until = (addresses: string[]) =>
    vi.waitFor(async () => {
      await clock.advance(0.1);
      expect(heard()).toEqual(addresses);
    }, WITHIN);
  const media = new FakeMedia();
  media.put(TRACK, { durationSeconds: 360 });
  const decks = new FakeDecks(clock, media);

  const player = embed(supabase.client, decks);
  player.start("run");
  await until([TRACK]);
  expect(player.snapshot()).toMatchObject({ state: "playing", totalSeconds: 1080 });
  expect(supabase.sent.map(({ url }) => url.pathname)).toContain("/functions/v1/sign-track");

  player.dispose();
  await until([]);
});
