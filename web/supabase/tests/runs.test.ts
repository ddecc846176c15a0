import { describe, expect, test } from "vitest";
import { Runs } from "../runs";
import { ServiceError } from "../service-error";
import { FakeSupabase } from "./fake-supabase";

function listening() {
  const supabase = new FakeSupabase();
  return { supabase, runs: new Runs(supabase.client) };
}

const REQUEST = { presetKey: "01-panique-anxiete", emotionState: "fear-0.8", idempotencyKey: "k1" };

const ROW = {
  id: "run",
  status: "creating",
  parcours_segments: [
    {
      id: "b",
      segment_index: 1,
      status: "queued",
      preview_url: null,
      final_url: null,
      storage_path: null,
      duration_seconds: null,
      metadata: {},
    },
    {
      id: "a",
      segment_index: 0,
      status: "complete",
      preview_url: "https://cdn1.suno.ai/a.mp3",
      final_url: null,
      storage_path: "runs/run/a.mp3",
      duration_seconds: 198,
      metadata: {
        title: "Se déposer",
        planned_seconds: 300,
        suno_track_id: "t1",
        suno_second_track_id: "t2",
        suno_second_download_url: "https://cdn1.suno.ai/t2.mp3",
        loudness_lufs: -14.2,
        true_peak_dbtp: -0.8,
        sound_end_seconds: 171.5,
      },
    },
  ],
};

async function errorOf(call: Promise<unknown>): Promise<ServiceError> {
  const error = await call.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ServiceError);
  return error as ServiceError;
}

describe("creating a run", () => {
  test("sends the request with its Idempotency-Key", async () => {
    const { supabase, runs } = listening();
    const briefs = { fr: "Posez-vous.", en: "Settle down." };
    supabase.answer({ body: { runId: "run", brief: "Posez-vous.", briefs, segmentsCount: 4 } });
    const created = await runs.create(REQUEST);
    expect(created).toEqual({ runId: "run", brief: briefs });
    expect(supabase.last.url.pathname).toBe("/functions/v1/parcours-xl-create");
    expect(supabase.last.headers.get("idempotency-key")).toBe("k1");
    expect(supabase.last.body).toEqual({
      presetKey: "01-panique-anxiete",
      emotionState: "fear-0.8",
    });
  });

  test.each([
    ["of another service", "Posez-vous.", undefined, { fr: "Posez-vous.", en: null }],
    ["that is no object", "Posez-vous.", "calm", { fr: "Posez-vous.", en: null }],
    ["in English only", null, { fr: "", en: "Settle down." }, { fr: null, en: "Settle down." }],
    ["that nobody wrote", null, null, null],
  ])("reads a brief %s", async (_of, brief, briefs, read) => {
    const { supabase, runs } = listening();
    supabase.answer({ body: { runId: "run", brief, briefs } });
    expect((await runs.create(REQUEST)).brief).toEqual(read);
  });

  test("says nothing of a feeling that was not given", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ body: { runId: "run", brief: "" } });
    await runs.create({ presetKey: "00-universel-reset", idempotencyKey: "k" });
    expect(supabase.last.body).toEqual({ presetKey: "00-universel-reset" });
  });

  test.each([
    [401, "signed-out", false],
    [400, "refused", false],
    [500, "unavailable", true],
    [503, "unavailable", true],
  ] as const)("calls a %i %s", async (status, kind, transient) => {
    const { supabase, runs } = listening();
    supabase.answer({ status, body: { error: "…" } });
    const error = await errorOf(runs.create(REQUEST));
    expect([error.kind, error.transient]).toEqual([kind, transient]);
  });

  test("tells until when the daily quota lasts", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ status: 429, body: { error: "…" }, headers: { "retry-after": "3600" } });
    const error = await errorOf(runs.create(REQUEST));
    expect([error.kind, error.retryAfterSeconds]).toEqual(["quota", 3600]);
  });

  test("takes a run whose attempts are used up for no matter of the listener's day", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ status: 429, body: { error: "…" }, headers: { "retry-after": "86400" } });
    const error = await errorOf(runs.compose("run"));
    expect([error.kind, error.retryAfterSeconds]).toEqual(["refused", null]);
  });

  test("calls a network that is down unreachable, and worth another try", async () => {
    const { supabase, runs } = listening();
    supabase.answer("down");
    const error = await errorOf(runs.create(REQUEST));
    expect([error.kind, error.transient]).toEqual(["unreachable", true]);
  });
});

describe("reading a run", () => {
  test("names its columns, and never the callback's token", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ body: [ROW] });
    await runs.read("run");
    const select = supabase.last.url.searchParams.get("select") ?? "";
    expect(select).toContain("storage_path");
    expect(select).not.toContain("*");
    expect(decodeURIComponent(supabase.last.url.href)).not.toContain("callback_token");
  });

  test("tells until when a run waits, and what is tried again is not lost", async () => {
    const { supabase, runs } = listening();
    const failed = (again: boolean) => [
      { ...ROW.parcours_segments[0], status: "failed", metadata: { failure: { again } } },
    ];
    const at = "2026-11-30T14:05:00+00:00";
    const waiting = { ...ROW, retry_at: at, parcours_segments: failed(true) };
    supabase.answer({ body: [waiting] });
    const run = await runs.read("run");
    expect(run.retryAt).toBe(Date.parse(at));
    expect(run.segments[0]?.status).toBe("queued");
    supabase.answer({ body: [{ ...ROW, parcours_segments: failed(false) }] });
    const lost = await runs.read("run");
    expect(lost.retryAt).toBeUndefined();
    expect(lost.segments[0]?.status).toBe("failed");
  });

  test("gives the segments in their order, with what the engine wants to know", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ body: [ROW] });
    const run = await runs.read("run");
    expect(run.segments.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(run.segments[0]).toEqual({
      id: "a",
      index: 0,
      status: "complete",
      title: "Se déposer",
      plannedSeconds: 300,
      previewUrl: "https://cdn1.suno.ai/a.mp3",
      finalUrl: null,
      storagePath: "runs/run/a.mp3",
      durationSeconds: 198,
      sunoTrackId: "t1",
      secondTrack: { id: "t2", streamUrl: null, downloadUrl: "https://cdn1.suno.ai/t2.mp3" },
      loudnessLufs: -14.2,
      truePeakDbtp: -0.8,
      soundEndSeconds: 171.5,
    });
    expect(run.segments[1]?.secondTrack).toBeNull();
  });

  test("calls a run that is not there gone", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ body: [] });
    expect((await errorOf(runs.read("run"))).kind).toBe("not-found");
  });
});

describe("past runs", () => {
  test("come newest first, a page at a time, without a token", async () => {
    const { supabase, runs } = listening();
    supabase.answer({
      body: [
        {
          id: "run",
          preset_key: "01-panique-anxiete",
          status: "ready",
          created_at: "2026-11-21T20:10:00Z",
          brief: "…",
          suds_start: 7,
          cancelled_at: null,
          retry_at: null,
          parcours_segments: [{ status: "complete" }],
        },
      ],
    });
    const past = await runs.past(new Date("2026-11-22T00:00:00Z"));
    expect(past.runs[0]).toMatchObject({ presetKey: "01-panique-anxiete", sudsStart: 7 });
    expect(past.older).toBe(false);
    const asked = supabase.last.url.searchParams;
    expect(asked.get("order")).toBe("created_at.desc");
    expect(asked.get("limit")).toBe("20");
    expect(asked.get("created_at")).toBe("lt.2026-11-22T00:00:00.000Z");
    expect(asked.get("select")).not.toMatch(/\*|token/);
  });

  test.each([
    ["creating", null, false],
    ["creating", "2026-11-21T20:11:00Z", true],
    ["failed", "2026-11-21T20:11:00Z", true],
    ["ready", "2026-11-21T20:11:00Z", false],
  ] as const)(
    "that are %s and were cancelled at %s are stopped: %s",
    async (status, at, stopped) => {
      const { supabase, runs } = listening();
      const row = { id: "run", preset_key: "p", created_at: "2026-11-21T20:10:00Z", brief: null };
      const segments = { retry_at: null, parcours_segments: [{ status: "generating" }] };
      supabase.answer({
        body: [{ ...row, ...segments, status, suds_start: null, cancelled_at: at }],
      });
      expect((await runs.past()).runs[0]).toMatchObject({ status, stopped });
    },
  );
});

describe("a past run is unstarted", () => {
  const row = {
    id: "run",
    preset_key: "p",
    status: "creating",
    created_at: "2026-11-21T20:10:00Z",
    brief: null,
    suds_start: null,
    cancelled_at: null,
    retry_at: null,
    parcours_segments: [{ status: "queued" }, { status: "queued" }],
  };
  const generating = [{ status: "generating" }, { status: "queued" }];

  test.each([
    ["when nothing of it was asked for", {}, true],
    ["not when a piece of it is being made", { parcours_segments: generating }, false],
    ["not when it waits to be composed", { retry_at: "2026-11-22T00:00:00Z" }, false],
    ["not when it is over", { status: "failed" }, false],
  ] as const)("%s", async (_name, changes, unstarted) => {
    const { supabase, runs } = listening();
    supabase.answer({ body: [{ ...row, ...changes }] });
    expect((await runs.past()).runs[0]).toMatchObject({ unstarted });
  });
});

describe("cancelling a run", () => {
  test("names the run", async () => {
    const { supabase, runs } = listening();
    supabase.answer({ body: { ok: true } });
    await runs.cancel("run");
    expect(supabase.last.url.pathname).toBe("/functions/v1/parcours-xl-cancel");
    expect(supabase.last.body).toEqual({ runId: "run" });
  });

  test("is worth another try while nothing is reached", async () => {
    const { supabase, runs } = listening();
    supabase.answer("down");
    expect(await errorOf(runs.cancel("run"))).toMatchObject({ transient: true });
  });

  test.each([401, 403, 404])("is given up after a %i", async (status) => {
    const { supabase, runs } = listening();
    supabase.answer({ status });
    expect(await errorOf(runs.cancel("run"))).toMatchObject({ transient: false });
  });
});

test("a rating is written to its own column and nothing else", async () => {
  const { supabase, runs } = listening();
  supabase.answer({ status: 204 });
  await runs.rate("run", "suds_mid", 4).catch(() => {});
  expect([supabase.last.method, supabase.last.body]).toEqual(["PATCH", { suds_mid: 4 }]);
  expect(supabase.last.url.searchParams.get("id")).toBe("eq.run");
});
