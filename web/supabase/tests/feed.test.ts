import { beforeEach, describe, expect, test } from "vitest";
import type { Run } from "../../engine";
import { FakeClock } from "../../engine/testing/fake-clock";
import {
  AFTER_SOUND_S,
  BEFORE_SOUND_S,
  type ChangeWatch,
  FIRST_DUE_FROM_S,
  FIRST_DUE_S,
  FIRST_DUE_UNTIL_S,
  HIDDEN_S,
  LIVE_S,
  RunFeed,
  SIGNED_OUT_S,
} from "../feed";
import { ServiceError } from "../service-error";

class Page extends EventTarget {
  hidden = false;

  turn(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

const RUN: Run = { id: "run", status: "creating", segments: [] };

let clock: FakeClock;
let page: Page;
let reads: number[];
let heard: string[];
let answer: () => Promise<Run>;

beforeEach(() => {
  clock = new FakeClock();
  page = new Page();
  reads = [];
  heard = [];
  answer = async () => RUN;
});

function follow(watch?: ChangeWatch) {
  const feed = new RunFeed({
    clock,
    read: () => {
      reads.push(clock.now());
      return answer();
    },
    page: page as unknown as Document,
    lost: ({ kind }) => heard.push(kind),
    ...(watch ? { watch } : {}),
  });
  return feed.subscribe("run", {
    run: ({ status }) => heard.push(status),
    reachable: (reachable) => heard.push(reachable ? "reached" : "missed"),
  });
}

/** Sums of fractions of a second are not exact. */
const near = (seconds: number) => expect.closeTo(seconds, 6);

/** The seconds between the readings so far. */
const pauses = () => reads.slice(1).map((at, place) => at - (reads[place] ?? 0));

describe("asking again and again", () => {
  test("reads at once, then every 750 ms until the first sound", async () => {
    const following = follow();
    await clock.advance(3 * BEFORE_SOUND_S);
    expect(pauses()).toEqual([0.75, 0.75, 0.75]);
    following.unsubscribe();
  });

  test("reads faster while the first preview is due, and not for ever", async () => {
    const following = follow();
    await clock.advance(FIRST_DUE_FROM_S - BEFORE_SOUND_S);
    reads = [];
    await clock.advance(2 * BEFORE_SOUND_S + 1);
    expect(pauses().slice(-3)).toEqual([FIRST_DUE_S, FIRST_DUE_S, FIRST_DUE_S].map(near));
    await clock.advance(FIRST_DUE_UNTIL_S - FIRST_DUE_FROM_S);
    reads = [];
    await clock.advance(3 * BEFORE_SOUND_S);
    expect(pauses()).toEqual([BEFORE_SOUND_S, BEFORE_SOUND_S].map(near));
    following.unsubscribe();
  });

  test("does not ask faster what cannot be reached", async () => {
    answer = async () => {
      throw new ServiceError("unreachable");
    };
    const following = follow();
    await clock.advance(FIRST_DUE_FROM_S);
    reads = [];
    await clock.advance(3 * BEFORE_SOUND_S);
    expect(pauses()).toEqual([BEFORE_SOUND_S, BEFORE_SOUND_S].map(near));
    following.unsubscribe();
  });

  test("reads every 2 s once it sounds", async () => {
    const following = follow();
    following.soundStarted();
    await clock.advance(3 * AFTER_SOUND_S);
    expect(pauses()).toEqual([2, 2, 2]);
    following.unsubscribe();
  });

  test("reads every 10 s while hidden, and at once when seen again", async () => {
    const following = follow();
    page.turn(true);
    await clock.advance(0);
    reads = [];
    await clock.advance(2 * HIDDEN_S);
    expect(reads).toHaveLength(2);
    page.turn(false);
    await clock.advance(0);
    expect(reads).toHaveLength(3);
    following.unsubscribe();
  });

  test("goes on when the network comes back, by itself", async () => {
    answer = async () => {
      throw new ServiceError("unreachable");
    };
    const following = follow();
    await clock.advance(BEFORE_SOUND_S);
    answer = async () => RUN;
    await clock.advance(BEFORE_SOUND_S);
    expect(heard).toEqual(["missed", "missed", "reached", "creating"]);
    following.unsubscribe();
  });

  test("stops asking once everything is there", async () => {
    answer = async () => ({ ...RUN, status: "ready" });
    follow();
    await clock.advance(60);
    expect(reads).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test("gives up a run that is gone, and says so", async () => {
    answer = async () => {
      throw new ServiceError("not-found");
    };
    follow();
    await clock.advance(60);
    expect(heard).toEqual(["not-found"]);
  });

  test("waits a minute for a session that Auth cannot renew just now", async () => {
    answer = async () => {
      throw new ServiceError("signed-out");
    };
    const following = follow();
    await clock.advance(SIGNED_OUT_S - 2);
    expect(new Set(heard)).toEqual(new Set(["missed"]));
    answer = async () => RUN;
    await clock.advance(BEFORE_SOUND_S);
    expect(heard.at(-1)).toBe("creating");
    following.unsubscribe();
  });

  test("gives up a session that stays refused, and says so", async () => {
    answer = async () => {
      throw new ServiceError("signed-out");
    };
    follow();
    await clock.advance(SIGNED_OUT_S + 2);
    expect(heard.at(-1)).toBe("signed-out");
    expect(clock.pending).toBe(0);
  });

  test("leaves no timer and hears no answer after stop", async () => {
    let give: (run: Run) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    const following = follow();
    following.unsubscribe();
    give(RUN);
    page.turn(true);
    await clock.advance(60);
    expect([heard, reads.length, clock.pending]).toEqual([[], 1, 0]);
  });
});

describe("with Realtime", () => {
  let changed: () => void;
  let alive: (alive: boolean) => void;
  const watch: ChangeWatch = (_run, listener) => {
    changed = listener.changed;
    alive = listener.alive;
    return () => heard.push("unwatched");
  };

  test("an event only means: read again", async () => {
    const following = follow(watch);
    alive(true);
    await clock.advance(0);
    reads = [];
    changed();
    await clock.advance(0);
    expect(reads).toEqual([0]);
    following.unsubscribe();
    expect(heard).toContain("unwatched");
  });

  test("reading is a safety net of 10 s", async () => {
    const following = follow(watch);
    alive(true);
    await clock.advance(0);
    reads = [];
    await clock.advance(2 * LIVE_S);
    expect(reads).toHaveLength(2);
    following.unsubscribe();
  });

  test("a channel that breaks is replaced by asking", async () => {
    const following = follow(watch);
    alive(true);
    await clock.advance(0);
    alive(false);
    await clock.advance(0);
    reads = [clock.now()];
    await clock.advance(2 * BEFORE_SOUND_S);
    expect(pauses()).toEqual([0.75, 0.75]);
    following.unsubscribe();
  });

  test("news that comes during a reading is read for", async () => {
    let give: (run: Run) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    const following = follow(watch);
    changed();
    changed();
    give(RUN);
    await clock.advance(0);
    expect(reads).toHaveLength(2);
    following.unsubscribe();
  });
});
