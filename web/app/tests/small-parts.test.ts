import { describe, expect, test, vi } from "vitest";
import { FakeClock } from "../../engine/testing/fake-clock";
import { ServiceError } from "../../supabase/service-error";
import { breathAt, CYCLE_S } from "../ambient/ambient-light";
import { Preferences } from "../browser/preferences";
import { hashOf, type Route, routeOf } from "../browser/router";
import { fr } from "../i18n/fr";
import type { JourneyView } from "../journey/journey-view";
import { helpFirst } from "../journey/ratings";
import { runRequestFor } from "../journey/run-request";
import { SAVED_MS_MAX, SavedJourneyStore } from "../journey/saved-journey";
import { statusText } from "../journey/status-text";
import { PAUSES_S, retry } from "../network/retry";
import { seekTarget } from "../parts/seek-bar";
import { MemoryStore } from "./memory-store";

describe("a request", () => {
  const panic = { emotion: "fear" } as never;

  test("tells the feeling and how strong it is, where that was said", () => {
    expect(runRequestFor("01-panique-anxiete", panic, "high", "k").emotionState).toBe("fear-0.8");
    expect(runRequestFor("01-panique-anxiete", panic, null, "k").emotionState).toBe("fear");
    expect(runRequestFor("00-universel-reset", undefined, "high", "k")).toEqual({
      presetKey: "00-universel-reset",
      idempotencyKey: "k",
    });
  });

  test("has a key of its own each time", () => {
    const [one, other] = [runRequestFor("x", undefined, null), runRequestFor("x", undefined, null)];
    expect(one.idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
    expect(one.idempotencyKey).not.toBe(other.idempotencyKey);
  });
});

describe("help comes first", () => {
  test.each([
    [{}, false],
    [{ suds_start: 8 }, true],
    [{ suds_start: 7 }, false],
    [{ suds_start: 9, suds_end: 3 }, false],
    [{ suds_start: 4, suds_end: 6 }, true],
    [{ suds_start: 4, suds_end: 5 }, false],
    [{ suds_mid: 8 }, true],
    [{ suds_start: 2, suds_mid: 4 }, true],
    [{ suds_start: 2, suds_mid: 9, suds_end: 3 }, false],
    [{ suds_end: 7 }, false],
  ])("after %j: %s", (ratings, first) => {
    expect(helpFirst(ratings)).toBe(first);
  });
});

describe("what was under way", () => {
  const request = { presetKey: "00-universel-reset", idempotencyKey: "k" };
  const place = { runId: "run", segmentIndex: 1, pieceSeconds: 72, journeySeconds: 372 };

  test("comes back after a reload", () => {
    const store = new MemoryStore();
    const brief = { fr: "…", en: null };
    new SavedJourneyStore(store).save({
      request,
      runId: "run",
      brief,
      ratings: { suds_start: 7 },
      place,
    });
    expect(new SavedJourneyStore(store).read()).toMatchObject({
      request,
      runId: "run",
      brief,
      ratings: { suds_start: 7 },
      place,
    });
  });

  test("is forgotten when it is over", () => {
    const resume = new SavedJourneyStore(new MemoryStore());
    resume.save({ request, runId: "run", brief: null, ratings: {}, place: null });
    resume.remove();
    expect(resume.read()).toBeNull();
  });

  test("is not offered half a day later", () => {
    let now = 0;
    const resume = new SavedJourneyStore(new MemoryStore(), () => now);
    resume.save({ request, runId: "run", brief: null, ratings: {}, place: null });
    now = SAVED_MS_MAX;
    expect(resume.read()).not.toBeNull();
    now = SAVED_MS_MAX + 1;
    expect(resume.read()).toBeNull();
  });

  test.each(["", "{", "null", '{"request":{}}', "[]"])("is nothing when it reads %j", (text) => {
    const store = new MemoryStore();
    store.write("under-way", text);
    expect(new SavedJourneyStore(store).read()).toBeNull();
  });
});

describe("the breath", () => {
  test("goes in for four seconds and out for six, and is never held", () => {
    expect(breathAt(0)).toMatchObject({ direction: "in", fullness: 0, turnsIn: 4 });
    expect(breathAt(4)).toMatchObject({ direction: "out", fullness: 1, turnsIn: 6 });
    expect(breathAt(CYCLE_S)).toMatchObject({ direction: "in", turnsIn: 4 });
    let held = 0;
    for (let at = 0; at < CYCLE_S; at += 0.1) {
      held += Math.abs(breathAt(at + 0.1).fullness - breathAt(at).fullness) < 1e-6 ? 1 : 0;
    }
    expect(held).toBe(0);
  });
});

describe("an address", () => {
  test.each<Route>([
    { name: "home" },
    { name: "card", key: "01-panique-anxiete" },
    { name: "listen" },
    { name: "runs" },
    { name: "keep" },
  ])("names %j and comes back", (route) => {
    expect(routeOf(hashOf(route))).toEqual(route);
  });

  test.each(["#card/", "#card", "#else", "#access_token=x", ""])("%j is home", (hash) => {
    expect(routeOf(hash)).toEqual({ name: "home" });
  });
});

describe("preferences", () => {
  test("begin at 70 % and keep what was set", () => {
    vi.stubGlobal("navigator", { languages: [] });
    const store = new MemoryStore();
    const preferences = new Preferences(store);
    expect(preferences.volume).toBe(0.7);
    preferences.volume = 0.35;
    preferences.country = null;
    preferences.intensity = "high";
    const later = new Preferences(store);
    expect([later.volume, later.country, later.intensity]).toEqual([0.35, null, "high"]);
    vi.unstubAllGlobals();
  });

  test("survive a store that holds nonsense", () => {
    const store = new MemoryStore();
    for (const name of ["volume", "intensity", "language", "country"]) store.write(name, "7?");
    const preferences = new Preferences(store);
    expect([preferences.volume, preferences.intensity]).toEqual([0.7, null]);
  });
});

describe("a place on the seek bar", () => {
  const seekable = { fromSeconds: 300, toSeconds: 420 };

  test.each([
    [360, 310, 360],
    [300, 310, 300],
    [900, 310, 420],
    [0, 310, 300],
    // Beyond what is there: forward never means back.
    [430, 425, null],
    [310, 310, 310],
  ])("asked for %d at %d: %s", (asked, now, target) => {
    expect(seekTarget(asked, now, seekable)).toBe(target);
  });

  test("is nowhere while nothing can be sought", () => {
    expect(seekTarget(10, 0, null)).toBeNull();
  });
});

describe("the line of words of a pause", () => {
  test.each([
    [{ gestureReason: null, interrupted: false }, "En pause."],
    [{ gestureReason: null, interrupted: true }, "La musique s'est mise en pause."],
    [{ gestureReason: "output", interrupted: false }, "Le son s'est coupé."],
  ])("with %j is %s", (sound, words) => {
    expect(statusText({ phase: "paused", sound } as JourneyView, fr)).toBe(words);
  });
});

describe("retry", () => {
  function patient(outcomes: readonly (string | Error)[]) {
    const clock = new FakeClock();
    const work = new AbortController();
    const said: (string | null)[] = [];
    const left = [...outcomes];
    const call = async () => {
      const outcome = left.shift() ?? new ServiceError("unreachable");
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    const end = retry(call, {
      clock,
      signal: work.signal,
      onRetry: (error) => said.push(error?.kind ?? null),
    }).catch((error) => error);
    return { clock, work, said, end };
  }

  test("tries again what may pass, says so, and says when it has passed", async () => {
    const { clock, said, end } = patient([
      new ServiceError("unreachable"),
      new ServiceError("unavailable"),
      "run",
    ]);
    await clock.advance(3);
    expect(await end).toBe("run");
    expect(said).toEqual(["unreachable", "unavailable", null]);
  });

  test("does not insist where it was refused", async () => {
    const { end, said } = patient([new ServiceError("quota"), "run"]);
    expect(await end).toMatchObject({ kind: "quota" });
    expect(said).toEqual([]);
  });

  test("has an end where the service is there and cannot", async () => {
    const { clock, said, end } = patient(Array(60).fill(new ServiceError("unavailable")));
    await clock.advance(120);
    expect(await end).toMatchObject({ kind: "unavailable" });
    expect(said).toHaveLength(PAUSES_S.length);
  });

  test("outlasts a network that is away for ten minutes", async () => {
    const { clock, said, end } = patient([
      ...Array(77).fill(new ServiceError("unreachable")),
      "run",
    ]);
    await clock.advance(590);
    expect(said.at(-1)).toBe("unreachable");
    await clock.advance(30);
    expect([await end, said.at(-1)]).toEqual(["run", null]);
  });

  test("ends at once when the listener stops, and leaves no timer", async () => {
    const { clock, work, end } = patient([new ServiceError("unavailable"), "run"]);
    await clock.advance(0.5);
    work.abort();
    expect(await end).toMatchObject({ name: "AbortError" });
    expect(clock.pending).toBe(0);
  });
});
