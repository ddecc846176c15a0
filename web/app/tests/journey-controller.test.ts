import { beforeEach, describe, expect, test, vi } from "vitest";
import { ServiceError } from "../../supabase/service-error";
import { dictionary } from "../i18n/language";
import type { JourneyView } from "../journey/journey-view";
import { SavedJourneyStore } from "../journey/saved-journey";
import { announcement, errorText } from "../journey/status-text";
import { SLOW_S } from "../journey/wait-monitor";
import { RATE_LIMITED_PAUSES_S } from "../network/retry";
import { MemoryStore } from "./memory-store";
import { PageHarness } from "./page-harness";

const REQUEST = { presetKey: "01-panique-anxiete", emotionState: "fear-0.8", idempotencyKey: "k" };
const t = dictionary("fr");

let page: PageHarness;
let heard: string[];

function enter(store = new MemoryStore()): PageHarness {
  page = new PageHarness(store);
  page.journey.start();
  heard = [];
  let before: JourneyView = page.journey.view();
  page.player.subscribe(() => {
    const now = page.journey.view();
    const words = announcement(before, now, t);
    if (words) heard.push(words);
    before = now;
  });
  return page;
}

const all = (status: "queued" | "complete") => [status, status, status, status] as const;

/** From the tap to the middle of the first piece. */
async function listen(): Promise<void> {
  page.journey.begin(REQUEST);
  await page.pass(1);
  page.tell(...all("complete"));
  await page.pass(60);
}

beforeEach(() => {
  enter();
});

describe("one tap", () => {
  test("is all it takes: the run is created, put in hand, and heard", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.requests, page.composed]).toEqual([[REQUEST], ["run"]]);
    expect(page.phase).toBe("composing");
    expect(page.decks.bed.level).toBeGreaterThan(0);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(5);
    expect(page.phase).toBe("playing");
    expect(page.decks.audible).toHaveLength(1);
  });

  test("is followed by honest words, each said once", async () => {
    await listen();
    expect(heard.filter((words) => words === t.playing.started)).toHaveLength(1);
    expect(new Set(heard).size).toBe(heard.length);
  });

  test("keeps the words written for this run", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect(page.journey.view().brief).toEqual({ fr: "Posez-vous.", en: "Settle down." });
  });

  test("says after 45 seconds that it takes longer, and not before", async () => {
    page.journey.begin(REQUEST);
    await page.pass(SLOW_S - 1);
    expect(page.journey.view().slow).toBe(false);
    await page.pass(2);
    expect(page.journey.view().slow).toBe(true);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(5);
    expect(page.journey.view().slow).toBe(false);
  });
});

describe("the reserve", () => {
  const said = (words: string) => heard.filter((one) => one === words).length;

  test("sounds while the words are still being written, and one's own takes over", async () => {
    page.stock(3);
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(2);
    expect(page.reserved).toEqual(["01-panique-anxiete"]);
    expect([page.phase, page.journey.view().accompanied]).toEqual(["playing", false]);
    expect(page.decks.audible.map(({ url }) => url)).toEqual(["https://store.example/r0.mp3"]);
    expect(said(t.reserve.meanwhile)).toBe(1);
    answer();
    await page.pass(4);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(5);
    expect([page.player.snapshot().source, page.player.snapshot().ownPlayable]).toEqual([
      "reserve",
      true,
    ]);
    expect(said(t.reserve.ready)).toBe(1);
    await page.pass(20);
    expect(page.decks.audible.map(({ url }) => url)).toEqual(["https://suno.example/s0"]);
    expect(said(t.reserve.yours)).toBe(1);
    expect(page.player.snapshot().journeySeconds).toBeGreaterThan(25);
  });

  test("that cannot be asked is seen by nobody", async () => {
    page.findReserve = async () => {
      throw new ServiceError("unavailable");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell(...all("complete"));
    await page.pass(5);
    expect([page.phase, page.journey.view().error, page.mistakes]).toEqual(["playing", null, []]);
  });

  test("is asked again until it answers, and not any more after Stop", async () => {
    page.stock(1);
    const { findReserve } = page;
    let asked = 0;
    page.findReserve = async () => {
      asked += 1;
      if (asked < 4) throw new ServiceError("unreachable");
      return findReserve();
    };
    page.journey.begin(REQUEST);
    await page.pass(20);
    expect([asked, page.player.snapshot().source]).toEqual([4, "reserve"]);

    asked = -100;
    page.journey.end();
    page.journey.takeBack();
    await page.pass(20);
    page.journey.end();
    const before = asked;
    await page.pass(60);
    expect(asked).toBe(before);
    expect(before).toBeGreaterThan(-100);
  });

  test("carries a whole journey when the run cannot be created, and says so once", async () => {
    page.stock(3);
    page.create = () =>
      new Promise((_resolve, reject) => {
        page.clock.after(3, () => reject(new ServiceError("refused")));
      });
    page.journey.begin(REQUEST);
    await page.pass(10);
    expect([page.phase, page.journey.view().accompanied]).toEqual(["playing", true]);
    await page.pass(1440);
    expect(page.phase).toBe("finished");
    expect(page.decks.audible).toEqual([]);
    expect(said(t.reserve.accompanies)).toBe(1);
    expect(heard).not.toContain(t.errors.noSource);
  });

  test("carries a whole journey when Suno refuses everything; the run stays failed", async () => {
    page.stock(3);
    page.journey.begin(REQUEST);
    await page.pass(5);
    page.tell("failed", "failed", "failed", "failed");
    await page.pass(5);
    expect([page.phase, page.journey.view().accompanied]).toEqual(["playing", true]);
    expect(page.player.snapshot().run?.status).toBe("failed");
    await page.pass(1440);
    expect(page.phase).toBe("finished");
    expect(page.asked.filter((call) => call.startsWith("cancel"))).toEqual([]);
  });

  test("sounds without a session too, where this browser keeps a piece", async () => {
    page.stock(1);
    page.open = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.begin(REQUEST);
    await page.pass(2);
    expect([page.phase, page.journey.view().retrying]).toEqual(["playing", "unreachable"]);
    page.open = async () => "open";
    await page.pass(10);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(20);
    expect(page.player.snapshot().source).toBe("run");
  });

  test("is over before the run was created: nothing is created for nobody", async () => {
    page.stock(2);
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1450);
    expect(page.phase).toBe("finished");
    answer();
    await page.pass(1);
    expect(page.asked.slice(-1)).toEqual(["cancel run"]);
    expect(page.composed).toEqual([]);
    expect(page.phase).toBe("finished");
  });

  test("that comes after Stop is not heard", async () => {
    page.stock(1);
    const { findReserve } = page;
    let answer = () => {};
    page.findReserve = async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return findReserve();
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    answer();
    await page.pass(5);
    expect([page.phase, page.decks.audible]).toEqual(["stopped", []]);
  });

  test("is asked again after a reload, and sounds while one's own is still being made", async () => {
    page.stock(1);
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("queued", "queued", "queued", "queued");
    await page.pass(10);
    const again = enter(page.store);
    again.stock(1);
    expect(again.phase).toBe("kept");
    again.journey.resume();
    again.tell("queued", "queued", "queued", "queued");
    await again.pass(3);
    expect([again.phase, again.player.snapshot().source]).toEqual(["playing", "reserve"]);
    expect(again.player.snapshot().journeySeconds).toBeGreaterThan(10);
    again.tell("first", "queued", "queued", "queued");
    await again.pass(25);
    expect(again.player.snapshot().source).toBe("run");
  });
});

describe("where nobody is let in without a name", () => {
  test("the form keeps the choice, and the journey goes on from it", async () => {
    page.open = async () => "form";
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.phase, page.requests]).toEqual(["form", []]);
    page.journey.signedIn();
    await page.pass(1);
    expect(page.requests).toEqual([REQUEST]);
    expect(page.phase).toBe("composing");
  });
});

describe("where too many people begin behind one address", () => {
  const crowded = async (): Promise<never> => {
    throw new ServiceError("rate-limited");
  };

  test("the page waits, tries again by itself, and goes on", async () => {
    page.open = crowded;
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.phase, page.journey.view().retrying]).toEqual(["opening", "rate-limited"]);
    page.open = async () => "open";
    await page.pass(RATE_LIMITED_PAUSES_S[0]);
    expect(page.requests).toEqual([REQUEST]);
    expect(page.journey.view().retrying).toBeNull();
  });

  test("an account is offered meanwhile, and the choice is kept", async () => {
    page.open = crowded;
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.useAccount();
    expect([page.phase, page.journey.view().retrying]).toEqual(["form", null]);
    page.journey.signedIn();
    await page.pass(1);
    expect(page.requests).toEqual([REQUEST]);
  });

  test("the form comes when waiting has not helped", async () => {
    page.open = crowded;
    page.journey.begin(REQUEST);
    await page.pass(RATE_LIMITED_PAUSES_S.reduce((sum, pause) => sum + pause, 1));
    expect(page.phase).toBe("form");
  });
});

describe("a mistake of the page itself", () => {
  const said = () => errorText(page.journey.view(), t);

  test("is not taken for the service's, and is told", async () => {
    const mistake = new TypeError("undefined is not a function");
    page.create = async () => {
      throw mistake;
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.phase, said()]).toEqual(["error", t.errors.page]);
    expect(page.mistakes).toEqual([mistake]);
  });

  test("leaves the music that is there alone", async () => {
    page.compose = async () => {
      throw new RangeError("…");
    };
    await listen();
    expect([page.phase, page.mistakes.length]).toEqual(["playing", 1]);
  });

  test("in the player ends in words that say so, and the place is kept for another try", async () => {
    await listen();
    const snapshot = page.player.snapshot.bind(page.player);
    vi.spyOn(page.player, "snapshot").mockImplementation(() => {
      return { ...snapshot(), state: "stopped", fault: "internal" };
    });
    page.player.stop();
    await page.pass(1);
    expect([page.phase, said()]).toEqual(["error", t.errors.page]);
    expect(new SavedJourneyStore(page.store).read()?.place?.runId).toBe("run");
  });

  test("that keeps a rating from being written is told too; what the service refuses is not", async () => {
    await listen();
    for (const error of [new ServiceError("unavailable"), new TypeError("…")]) {
      page.rate = async () => {
        throw error;
      };
      page.journey.rate("suds_mid", 4);
      await page.pass(1);
      expect(page.journey.view().ratingFailed).toBe(true);
    }
    expect(page.mistakes).toEqual([new TypeError("…")]);
  });
});

describe("a service that does not answer", () => {
  test("is asked again with the very same key, while the bed goes on", async () => {
    const { create } = page;
    page.create = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.begin(REQUEST);
    await page.pass(0.5);
    expect(page.journey.view().retrying).toBe("unreachable");
    page.create = create;
    await page.pass(4);
    expect(page.journey.view().retrying).toBeNull();
    expect(new Set(page.requests.map((request) => request.idempotencyKey))).toEqual(new Set(["k"]));
    expect(page.phase).toBe("composing");
  });

  test("is given up kindly in the end, and can be tried again", async () => {
    const { create } = page;
    page.create = async () => {
      throw new ServiceError("unavailable");
    };
    page.journey.begin(REQUEST);
    await page.pass(120);
    expect([page.phase, errorText(page.journey.view(), t)]).toEqual(["error", t.errors.service]);
    page.create = create;
    page.journey.tryAgain();
    await page.pass(1);
    expect(page.phase).toBe("composing");
  });

  test("a used-up day is said with its end", async () => {
    page.create = async () => {
      throw new ServiceError("quota", 3600);
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    const { error } = page.journey.view();
    expect(errorText(page.journey.view(), t)).toBe(t.errors.quota);
    expect((error?.until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3500_000);
  });

  test("a session it refuses is renewed once", async () => {
    let tries = 0;
    page.create = async () => {
      tries += 1;
      if (tries === 1) throw new ServiceError("signed-out");
      return { runId: "run", brief: null };
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.renewed, page.phase]).toEqual([1, "composing"]);
  });

  test("a session it refuses twice is an error, not a loop", async () => {
    page.create = async () => {
      throw new ServiceError("signed-out");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    expect([page.renewed, page.requests.length, page.phase]).toEqual([1, 2, "error"]);
  });

  test("a run that failed says so kindly, and the runner is asked again", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("failed", "failed", "failed", "failed");
    await page.pass(1);
    expect(errorText(page.journey.view(), t)).toBe(t.errors.failedRun);
    page.journey.tryAgain();
    await page.pass(1);
    expect(page.composed).toEqual(["run", "run"]);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    expect(page.phase).toBe("playing");
  });

  test("a run that can no longer be read is said, not waited for", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.runUnreadable(new ServiceError("not-found"));
    expect([page.phase, errorText(page.journey.view(), t)]).toEqual(["error", t.errors.noSource]);
  });
});

describe("an error while there is music", () => {
  test("does not leave it: a refused composing is no reason for silence", async () => {
    page.compose = async () => {
      throw new ServiceError("refused");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("complete", "failed", "failed", "failed");
    await page.pass(10);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
  });

  test("is said where nothing can be heard", async () => {
    page.compose = async () => {
      throw new ServiceError("unavailable");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("queued", "queued", "queued", "queued");
    await page.pass(120);
    expect(page.phase).toBe("error");
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    expect(page.phase).toBe("playing");
  });

  test("does not end it when the run can no longer be read", async () => {
    await listen();
    page.journey.runUnreadable(new ServiceError("signed-out"));
    await page.pass(60);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
  });

  test("that ended it is left from where one was", async () => {
    await listen();
    page.keepFiles(false);
    page.journey.runUnreadable(new ServiceError("signed-out"));
    await page.pass(120);
    expect(page.phase).toBe("error");
    const { journeySeconds } = page.player.snapshot();
    page.keepFiles(true);
    page.journey.tryAgain();
    await page.pass(1);
    page.tell(...all("complete"));
    await page.pass(10);
    expect(page.phase).toBe("playing");
    expect(page.player.snapshot().journeySeconds).toBeGreaterThan(journeySeconds);
  });
});

describe("a network that is away for minutes", () => {
  test("is outlasted, before the run exists and after", async () => {
    const { create, compose } = page;
    const away = async () => {
      throw new ServiceError("unreachable");
    };
    Object.assign(page, { create: away, compose: away });
    page.journey.begin(REQUEST);
    await page.pass(300);
    expect([page.phase, page.journey.view().retrying]).toEqual(["writing", "unreachable"]);
    page.create = create;
    await page.pass(300);
    expect([page.phase, page.journey.view().retrying]).toEqual(["composing", "unreachable"]);
    page.compose = compose;
    await page.pass(10);
    expect(page.journey.view().retrying).toBeNull();
  });
});

describe("a call before the run exists", () => {
  test("pauses what was begun, and one tap goes on with it", async () => {
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.decks.interrupt();
    answer();
    await page.pass(1);
    page.tell(...all("complete"));
    await page.pass(30);
    expect([page.phase, page.decks.audible]).toEqual(["paused", []]);
    page.journey.resume();
    await page.pass(5);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
  });
});

describe("a browser that lets nothing sound", () => {
  test("is asked once more, by one tap", async () => {
    page.decks.refusing = true;
    await listen();
    expect(page.journey.view().sound.needsGesture).toBe(true);
    expect(page.decks.audible).toEqual([]);
    page.decks.refusing = false;
    page.journey.resume();
    await page.pass(10);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
  });
});

describe("Stop", () => {
  test("is silence, and nothing of the journey comes back", async () => {
    await listen();
    page.journey.end();
    await page.pass(0.05);
    expect([page.decks.audible, page.decks.bed.level]).toEqual([[], 0]);
    expect(page.phase).toBe("stopped");
    await page.pass(30);
    expect(page.decks.audible).toEqual([]);
    expect(enter(page.store).phase).toBe("none");
  });

  test("while the brief is being written starts no composing", async () => {
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    answer();
    await page.pass(5);
    expect([page.composed, page.phase]).toEqual([[], "stopped"]);
  });

  test("has nothing more bought", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("generating", "queued", "queued", "queued");
    page.journey.end();
    await page.pass(1);
    expect(page.asked).toEqual(["compose run", "cancel run"]);
  });

  test("has nothing more bought for a run that is answered afterwards", async () => {
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    answer();
    await page.pass(1);
    expect(page.asked).toEqual(["cancel run"]);
    expect(page.journey.view().rateable).toBe(true);
  });

  test("does not overtake the call that has it composed", async () => {
    let answer = () => {};
    page.compose = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(1);
    expect(page.asked).toEqual(["compose run"]);
    answer();
    await page.pass(1);
    expect(page.asked).toEqual(["compose run", "cancel run"]);
  });

  test("without a network has it cancelled when the network is back", async () => {
    page.cancel = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(300);
    page.cancel = async () => {};
    await page.pass(10);
    const { length } = page.asked;
    await page.pass(60);
    expect([page.asked.at(-1), page.asked.length]).toEqual(["cancel run", length]);
  });

  test("without a network, and then a closed page, has it cancelled at the next visit", async () => {
    const unreachable = async () => {
      throw new ServiceError("unreachable");
    };
    page.cancel = unreachable;
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(5);
    page.journey.stop();

    enter(page.store);
    await page.pass(1);
    expect([page.phase, page.asked]).toEqual(["none", ["cancel run"]]);
    page.journey.stop();
    enter(page.store);
    await page.pass(1);
    expect(page.asked).toEqual([]);
  });

  test("that was taken back cancels nothing at the next visit", async () => {
    page.cancel = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(1);
    page.journey.takeBack();
    await page.pass(1);
    page.journey.stop();

    enter(page.store);
    await page.pass(1);
    expect(page.asked).toEqual([]);
  });

  test.each([
    ["not-found", 0],
    ["signed-out", 1],
  ] as const)("refused as %s is sent %i times more at the next visit", async (kind, times) => {
    page.cancel = async () => {
      throw new ServiceError(kind);
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(1);
    page.journey.stop();

    enter(page.store);
    await page.pass(1);
    expect(page.asked).toHaveLength(times);
  });

  test.each(["{", "[]", '"run"', "null"])(
    "sends nothing for a list that reads %s",
    async (text) => {
      page.store.write("cancellations", text);
      enter(page.store);
      await page.pass(1);
      expect(page.asked).toEqual([]);
    },
  );

  test.each(["complete", "failed"] as const)(
    "of a run of which everything is %s asks nothing",
    async (status) => {
      page.journey.begin(REQUEST);
      await page.pass(1);
      page.tell(status, status, status, status);
      await page.pass(5);
      page.journey.end();
      await page.pass(1);
      expect(page.asked).toEqual(["compose run"]);
    },
  );

  test("is meant by a new journey in the place of one under way", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.begin({ ...REQUEST, idempotencyKey: "k2" });
    await page.pass(1);
    expect(page.asked.slice(0, 2)).toEqual(["compose run", "cancel run"]);
  });
});

describe("Stop taken back", () => {
  test("goes on from where it was, and has the rest composed", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("complete", "generating", "queued", "queued");
    await page.pass(60);
    page.journey.end();
    await page.pass(0.1);
    expect(page.journey.view()).toMatchObject({ phase: "stopped", canTakeBack: true });
    const { journeySeconds } = page.player.snapshot();
    page.journey.takeBack();
    await page.pass(1);
    page.tell("complete", "generating", "queued", "queued");
    await page.pass(3);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
    const gone = page.player.snapshot().journeySeconds - journeySeconds;
    expect(gone).toBeGreaterThan(0);
    expect(gone).toBeLessThan(5);
    expect(page.asked).toEqual(["compose run", "cancel run", "compose run"]);
    expect(enter(page.store).phase).toBe("kept");
  });

  test("before anything sounded waits for the same run, never shown as failed", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.tell("queued", "queued", "queued", "queued");
    page.journey.end();
    await page.pass(1);
    let answer = () => {};
    page.compose = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    page.journey.takeBack();
    await page.pass(2);
    expect([page.phase, page.decks.bed.level > 0]).toEqual(["composing", true]);
    answer();
    await page.pass(1);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    expect([page.phase, page.requests.length]).toEqual(["playing", 1]);
    expect(heard).not.toContain(t.errors.failedRun);
  });

  test("at once sends the two calls in order, however late the first is answered", async () => {
    let answer = () => {};
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.cancel = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    page.journey.end();
    await page.pass(0.1);
    page.journey.takeBack();
    await page.pass(5);
    expect(page.asked).toEqual(["compose run", "cancel run"]);
    answer();
    await page.pass(1);
    expect(page.asked).toEqual(["compose run", "cancel run", "compose run"]);
  });

  test("without a network is never cancelled later", async () => {
    page.cancel = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    await page.pass(5);
    page.journey.takeBack();
    await page.pass(60);
    expect(page.asked.at(-1)).toBe("compose run");
  });

  test("while the brief is being written asks with the same key, and cancels nothing", async () => {
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    page.create = async () => ({ runId: "run", brief: null });
    page.journey.takeBack();
    answer();
    await page.pass(1);
    expect(new Set(page.requests)).toEqual(new Set([REQUEST]));
    expect([page.phase, new Set(page.asked)]).toEqual(["composing", new Set(["compose run"])]);
  });

  test("keeps what was rated", async () => {
    await listen();
    page.journey.rate("suds_start", 4);
    page.journey.end();
    page.journey.takeBack();
    await page.pass(1);
    expect(page.journey.view().ratings).toEqual({ suds_start: 4 });
  });

  test("is not offered where there is nothing to go on with", async () => {
    page.create = async () => {
      throw new ServiceError("quota", 3600);
    };
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    expect(page.journey.view().canTakeBack).toBe(false);
    page.journey.takeBack();
    expect(page.phase).toBe("stopped");
  });

  test("is over once the end is left", async () => {
    await listen();
    page.journey.end();
    page.journey.leave();
    page.journey.takeBack();
    await page.pass(5);
    expect([page.phase, page.decks.audible]).toEqual(["none", []]);
  });
});

describe("a reload", () => {
  test("gives back run and position, paused, and one tap goes on", async () => {
    await listen();
    const at = Math.floor(page.journey.view().sound.journeySeconds);
    enter(page.store);
    await page.pass(1);
    expect(page.phase).toBe("kept");
    expect(Math.floor(page.journey.view().keptAt ?? 0)).toBe(at);
    page.tell(...all("complete"));
    await page.pass(2);
    expect(page.decks.audible).toEqual([]);
    page.journey.resume();
    expect(page.phase).not.toBe("ready");
    await page.pass(3);
    expect(page.phase).toBe("playing");
    expect(heard).not.toContain(t.playing.started);
    expect(page.journey.view().sound.journeySeconds).toBeGreaterThanOrEqual(at);
    expect(page.requests).toEqual([]);
  });

  test("before the first sound goes on waiting for the same run", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    enter(page.store);
    expect([page.phase, page.journey.view().keptAt]).toEqual(["kept", null]);
    page.journey.resume();
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    expect([page.phase, page.requests]).toEqual(["playing", []]);
  });

  test("before the run was answered asks with the same key", async () => {
    page.create = () => new Promise(() => {});
    page.journey.begin(REQUEST);
    await page.pass(1);
    enter(page.store);
    page.journey.resume();
    await page.pass(1);
    expect(page.requests).toEqual([REQUEST]);
  });

  test("has the run put in hand, should the page have closed before that", async () => {
    page.compose = () => new Promise(() => {});
    page.journey.begin(REQUEST);
    await page.pass(1);
    enter(page.store);
    page.journey.resume();
    await page.pass(1);
    expect(page.composed).toEqual(["run"]);
  });

  test("that is declined has nothing more bought", async () => {
    page.journey.begin(REQUEST);
    await page.pass(1);
    enter(page.store);
    page.journey.leave();
    await page.pass(1);
    expect(page.asked).toEqual(["cancel run"]);
  });

  test("can be declined for good", async () => {
    await listen();
    enter(page.store);
    page.journey.leave();
    expect(page.phase).toBe("none");
    expect(enter(page.store).phase).toBe("none");
  });
});

describe("another tab", () => {
  test("takes the sound: this one falls silent and offers to take it back", async () => {
    await listen();
    page.journey.lost();
    await page.pass(1);
    expect([page.phase, page.decks.audible]).toEqual(["elsewhere", []]);
    page.journey.resume();
    await page.pass(3);
    expect([page.phase, page.decks.audible.length]).toEqual(["playing", 1]);
    expect(heard.at(-1)).toBe(t.playing.resumed);
  });

  test("that went on with the same journey is taken over where it is", async () => {
    await listen();
    page.journey.lost();
    const other = new SavedJourneyStore(page.store);
    const kept = other.read();
    const place = { runId: "run", segmentIndex: 2, pieceSeconds: 30, journeySeconds: 630 };
    other.save({ request: REQUEST, runId: "run", brief: null, ratings: {}, ...kept, place });
    page.journey.resume();
    await page.pass(1);
    page.tell(...all("complete"));
    await page.pass(5);
    expect(page.phase).toBe("playing");
    expect(page.journey.view().sound.journeySeconds).toBeGreaterThan(630);
  });

  test.each(["form", "writing"] as const)(
    "takes the sound before the run exists (%s): one sounds, and the request stays one",
    async (phase) => {
      if (phase === "form") page.open = async () => "form";
      else page.create = () => new Promise(() => {});
      page.journey.begin(REQUEST);
      await page.pass(1);
      page.journey.rate("suds_start", 7);
      expect(page.phase).toBe(phase);
      page.journey.lost();
      await page.pass(1);
      expect([page.phase, page.decks.bed.level]).toEqual(["elsewhere", 0]);
      page.open = async () => "open";
      page.create = async () => ({ runId: "run", brief: null });
      page.journey.resume();
      await page.pass(1);
      expect(page.phase).toBe("composing");
      expect(new Set(page.requests)).toEqual(new Set([REQUEST]));
      expect(page.rated).toEqual([["run", "suds_start", 7]]);
    },
  );
});

describe("ratings", () => {
  test("given before the run exists are written as soon as it does", async () => {
    const answer = page.holdCreate();
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.rate("suds_start", 7);
    await page.pass(1);
    expect(page.rated).toEqual([]);
    answer();
    await page.pass(1);
    expect(page.rated).toEqual([["run", "suds_start", 7]]);
  });

  test("that could not be written are said to be, and change nothing else", async () => {
    await listen();
    page.rate = async () => {
      throw new ServiceError("unreachable");
    };
    page.journey.rate("suds_mid", 3);
    await page.pass(1);
    expect(page.journey.view()).toMatchObject({ ratingFailed: true, phase: "playing" });
  });

  test("outlive a reload", async () => {
    await listen();
    page.journey.rate("suds_start", 4);
    enter(page.store);
    expect(page.journey.view().ratings).toEqual({ suds_start: 4 });
  });

  test("are not asked for at the end of a journey that never had a run", async () => {
    page.create = () => new Promise(() => {});
    page.journey.begin(REQUEST);
    await page.pass(1);
    page.journey.end();
    expect(page.journey.view().rateable).toBe(false);
  });

  test("at the end still reach the run", async () => {
    await listen();
    page.journey.end();
    page.journey.rate("suds_end", 2);
    await page.pass(1);
    expect(page.rated).toEqual([["run", "suds_end", 2]]);
  });
});

describe("a past run", () => {
  const PAST = {
    id: "run",
    presetKey: "01-panique-anxiete",
    status: "ready",
    stopped: false,
    unstarted: false,
    createdAt: new Date(),
    brief: { fr: "Posez-vous.", en: "Settle down." },
    sudsStart: 6,
  } as const;

  test("is heard again from its beginning, and composed no second time", async () => {
    page.journey.replay(PAST, false);
    await page.pass(1);
    page.tell(...all("complete"));
    await page.pass(5);
    expect([page.phase, page.composed, page.requests]).toEqual(["playing", [], []]);
    expect(page.journey.view().ratings).toEqual({ suds_start: 6 });
  });

  test("that failed is composed to its end", async () => {
    page.journey.replay({ ...PAST, status: "failed" }, true);
    await page.pass(1);
    expect(page.composed).toEqual(["run"]);
  });

  test("that was stopped is composed before it is looked at", async () => {
    page.journey.replay({ ...PAST, status: "failed", stopped: true }, true);
    await page.pass(1);
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    expect([page.asked, page.phase]).toEqual([["compose run"], "playing"]);
    expect(heard).not.toContain(t.errors.failedRun);
  });
});

test("a whole journey ends by itself, and is not offered again", async () => {
  page.journey.begin(REQUEST);
  await page.pass(1);
  page.tell(...all("complete"));
  await page.pass(1500);
  expect(page.phase).toBe("finished");
  expect(page.journey.view().canTakeBack).toBe(false);
  expect(enter(page.store).phase).toBe("none");
});

test("nothing is left running once the page lets go", async () => {
  await listen();
  page.journey.end();
  page.journey.stop();
  page.player.dispose();
  await page.pass(1);
  expect(page.clock.pending).toBe(0);
});
