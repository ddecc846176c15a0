import { beforeEach, describe, expect, test, vi } from "vitest";
import { Trouble } from "../../supabase/trouble";
import { announcement } from "../announcement";
import { dictionary } from "../i18n/language";
import { troubleLine } from "../line";
import type { ListeningView } from "../listening-view";
import { LONG_S } from "../long-wait";
import { CROWDED_PAUSES_S } from "../patience";
import { Resume } from "../resume";
import { TestMemory } from "./memory";
import { Room } from "./room";

const WISH = { presetKey: "01-panique-anxiete", emotionState: "fear-0.8", idempotencyKey: "k" };
const t = dictionary("fr");

let room: Room;
let heard: string[];

function enter(memory = new TestMemory()): Room {
  room = new Room(memory);
  room.listening.start();
  heard = [];
  let before: ListeningView = room.listening.view();
  room.player.subscribe(() => {
    const now = room.listening.view();
    const words = announcement(before, now, t);
    if (words) heard.push(words);
    before = now;
  });
  return room;
}

const all = (status: "queued" | "complete") => [status, status, status, status] as const;

/** From the tap to the middle of the first piece. */
async function listen(): Promise<void> {
  room.listening.begin(WISH);
  await room.pass(1);
  room.tell(...all("complete"));
  await room.pass(60);
}

beforeEach(() => {
  enter();
});

describe("one tap", () => {
  test("is all it takes: the run is created, put in hand, and heard", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.wishes, room.composed]).toEqual([[WISH], ["run"]]);
    expect(room.stage).toBe("composing");
    expect(room.decks.bed.level).toBeGreaterThan(0);
    room.tell("first", "queued", "queued", "queued");
    await room.pass(5);
    expect(room.stage).toBe("playing");
    expect(room.decks.audible).toHaveLength(1);
  });

  test("is followed by honest words, each said once", async () => {
    await listen();
    expect(heard.filter((words) => words === t.playing.started)).toHaveLength(1);
    expect(new Set(heard).size).toBe(heard.length);
  });

  test("keeps the words written for this run", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    expect(room.listening.view().brief).toEqual({ fr: "Posez-vous.", en: "Settle down." });
  });

  test("says after 45 seconds that it takes longer, and not before", async () => {
    room.listening.begin(WISH);
    await room.pass(LONG_S - 1);
    expect(room.listening.view().long).toBe(false);
    await room.pass(2);
    expect(room.listening.view().long).toBe(true);
    room.tell("first", "queued", "queued", "queued");
    await room.pass(5);
    expect(room.listening.view().long).toBe(false);
  });
});

describe("where nobody is let in without a name", () => {
  test("the form keeps the choice, and the journey goes on from it", async () => {
    room.open = async () => "form";
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.stage, room.wishes]).toEqual(["form", []]);
    room.listening.signedIn();
    await room.pass(1);
    expect(room.wishes).toEqual([WISH]);
    expect(room.stage).toBe("composing");
  });
});

describe("where too many people begin behind one address", () => {
  const crowded = async (): Promise<never> => {
    throw new Trouble("crowded");
  };

  test("the page waits, tries again by itself, and goes on", async () => {
    room.open = crowded;
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.stage, room.listening.view().hiccup]).toEqual(["opening", "crowded"]);
    room.open = async () => "open";
    await room.pass(CROWDED_PAUSES_S[0]);
    expect(room.wishes).toEqual([WISH]);
    expect(room.listening.view().hiccup).toBeNull();
  });

  test("an account is offered meanwhile, and the choice is kept", async () => {
    room.open = crowded;
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.useAccount();
    expect([room.stage, room.listening.view().hiccup]).toEqual(["form", null]);
    room.listening.signedIn();
    await room.pass(1);
    expect(room.wishes).toEqual([WISH]);
  });

  test("the form comes when waiting has not helped", async () => {
    room.open = crowded;
    room.listening.begin(WISH);
    await room.pass(CROWDED_PAUSES_S.reduce((sum, pause) => sum + pause, 1));
    expect(room.stage).toBe("form");
  });
});

describe("a mistake of the page itself", () => {
  const said = () => troubleLine(room.listening.view(), t);

  test("is not taken for the service's, and is told", async () => {
    const mistake = new TypeError("undefined is not a function");
    room.create = async () => {
      throw mistake;
    };
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.stage, said()]).toEqual(["trouble", t.trouble.page]);
    expect(room.mistakes).toEqual([mistake]);
  });

  test("leaves the music that is there alone", async () => {
    room.compose = async () => {
      throw new RangeError("…");
    };
    await listen();
    expect([room.stage, room.mistakes.length]).toEqual(["playing", 1]);
  });

  test("in the player ends in words that say so, and the place is kept for another try", async () => {
    await listen();
    const snapshot = room.player.snapshot.bind(room.player);
    vi.spyOn(room.player, "snapshot").mockImplementation(() => {
      return { ...snapshot(), state: "stopped", fault: "internal" };
    });
    room.player.stop();
    await room.pass(1);
    expect([room.stage, said()]).toEqual(["trouble", t.trouble.page]);
    expect(new Resume(room.memory).read()?.place?.runId).toBe("run");
  });

  test("that keeps a rating from being written is told too; what the service refuses is not", async () => {
    await listen();
    for (const error of [new Trouble("busy"), new TypeError("…")]) {
      room.rate = async () => {
        throw error;
      };
      room.listening.rate("suds_mid", 4);
      await room.pass(1);
      expect(room.listening.view().ratingFailed).toBe(true);
    }
    expect(room.mistakes).toEqual([new TypeError("…")]);
  });
});

describe("a service that does not answer", () => {
  test("is asked again with the very same key, while the bed goes on", async () => {
    const { create } = room;
    room.create = async () => {
      throw new Trouble("unreachable");
    };
    room.listening.begin(WISH);
    await room.pass(0.5);
    expect(room.listening.view().hiccup).toBe("unreachable");
    room.create = create;
    await room.pass(4);
    expect(room.listening.view().hiccup).toBeNull();
    expect(new Set(room.wishes.map((wish) => wish.idempotencyKey))).toEqual(new Set(["k"]));
    expect(room.stage).toBe("composing");
  });

  test("is given up kindly in the end, and can be tried again", async () => {
    const { create } = room;
    room.create = async () => {
      throw new Trouble("busy");
    };
    room.listening.begin(WISH);
    await room.pass(120);
    expect([room.stage, troubleLine(room.listening.view(), t)]).toEqual([
      "trouble",
      t.trouble.service,
    ]);
    room.create = create;
    room.listening.tryAgain();
    await room.pass(1);
    expect(room.stage).toBe("composing");
  });

  test("a used-up day is said with its end", async () => {
    room.create = async () => {
      throw new Trouble("quota", 3600);
    };
    room.listening.begin(WISH);
    await room.pass(1);
    const { trouble } = room.listening.view();
    expect(troubleLine(room.listening.view(), t)).toBe(t.trouble.quota);
    expect((trouble?.until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3500_000);
  });

  test("a session it refuses is renewed once", async () => {
    let tries = 0;
    room.create = async () => {
      tries += 1;
      if (tries === 1) throw new Trouble("signed-out");
      return { runId: "run", brief: null };
    };
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.renewed, room.stage]).toEqual([1, "composing"]);
  });

  test("a session it refuses twice is a trouble, not a loop", async () => {
    room.create = async () => {
      throw new Trouble("signed-out");
    };
    room.listening.begin(WISH);
    await room.pass(1);
    expect([room.renewed, room.wishes.length, room.stage]).toEqual([1, 2, "trouble"]);
  });

  test("a run that failed says so kindly, and the runner is asked again", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("failed", "failed", "failed", "failed");
    await room.pass(1);
    expect(troubleLine(room.listening.view(), t)).toBe(t.trouble.failedRun);
    room.listening.tryAgain();
    await room.pass(1);
    expect(room.composed).toEqual(["run", "run"]);
    room.tell("first", "queued", "queued", "queued");
    await room.pass(6);
    expect(room.stage).toBe("playing");
  });

  test("a run that can no longer be read is said, not waited for", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.troubled(new Trouble("gone"));
    expect([room.stage, troubleLine(room.listening.view(), t)]).toEqual([
      "trouble",
      t.trouble.noSource,
    ]);
  });
});

describe("a trouble while there is music", () => {
  test("does not leave it: a refused composing is no reason for silence", async () => {
    room.compose = async () => {
      throw new Trouble("refused");
    };
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("complete", "failed", "failed", "failed");
    await room.pass(10);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
  });

  test("is said where nothing can be heard", async () => {
    room.compose = async () => {
      throw new Trouble("busy");
    };
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("queued", "queued", "queued", "queued");
    await room.pass(120);
    expect(room.stage).toBe("trouble");
    room.tell("first", "queued", "queued", "queued");
    await room.pass(6);
    expect(room.stage).toBe("playing");
  });

  test("does not end it when the run can no longer be read", async () => {
    await listen();
    room.listening.troubled(new Trouble("signed-out"));
    await room.pass(60);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
  });

  test("that ended it is left from where one was", async () => {
    await listen();
    room.keepFiles(false);
    room.listening.troubled(new Trouble("signed-out"));
    await room.pass(120);
    expect(room.stage).toBe("trouble");
    const { journeySeconds } = room.player.snapshot();
    room.keepFiles(true);
    room.listening.tryAgain();
    await room.pass(1);
    room.tell(...all("complete"));
    await room.pass(10);
    expect(room.stage).toBe("playing");
    expect(room.player.snapshot().journeySeconds).toBeGreaterThan(journeySeconds);
  });
});

describe("a network that is away for minutes", () => {
  test("is outlasted, before the run exists and after", async () => {
    const { create, compose } = room;
    const away = async () => {
      throw new Trouble("unreachable");
    };
    Object.assign(room, { create: away, compose: away });
    room.listening.begin(WISH);
    await room.pass(300);
    expect([room.stage, room.listening.view().hiccup]).toEqual(["writing", "unreachable"]);
    room.create = create;
    await room.pass(300);
    expect([room.stage, room.listening.view().hiccup]).toEqual(["composing", "unreachable"]);
    room.compose = compose;
    await room.pass(10);
    expect(room.listening.view().hiccup).toBeNull();
  });
});

describe("a call before the run exists", () => {
  test("pauses what was begun, and one tap goes on with it", async () => {
    const answer = room.holdCreate();
    room.listening.begin(WISH);
    await room.pass(1);
    room.decks.interrupt();
    answer();
    await room.pass(1);
    room.tell(...all("complete"));
    await room.pass(30);
    expect([room.stage, room.decks.audible]).toEqual(["paused", []]);
    room.listening.resume();
    await room.pass(5);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
  });
});

describe("a browser that lets nothing sound", () => {
  test("is asked once more, by one tap", async () => {
    room.decks.refusing = true;
    await listen();
    expect(room.listening.view().sound.needsGesture).toBe(true);
    expect(room.decks.audible).toEqual([]);
    room.decks.refusing = false;
    room.listening.resume();
    await room.pass(10);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
  });
});

describe("Stop", () => {
  test("is silence, and nothing of the journey comes back", async () => {
    await listen();
    room.listening.end();
    await room.pass(0.05);
    expect([room.decks.audible, room.decks.bed.level]).toEqual([[], 0]);
    expect(room.stage).toBe("stopped");
    await room.pass(30);
    expect(room.decks.audible).toEqual([]);
    expect(enter(room.memory).stage).toBe("none");
  });

  test("while the brief is being written starts no composing", async () => {
    const answer = room.holdCreate();
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    answer();
    await room.pass(5);
    expect([room.composed, room.stage]).toEqual([[], "stopped"]);
  });

  test("has nothing more bought", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("generating", "queued", "queued", "queued");
    room.listening.end();
    await room.pass(1);
    expect(room.asked).toEqual(["compose run", "cancel run"]);
  });

  test("has nothing more bought for a run that is answered afterwards", async () => {
    const answer = room.holdCreate();
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    answer();
    await room.pass(1);
    expect(room.asked).toEqual(["cancel run"]);
    expect(room.listening.view().rateable).toBe(true);
  });

  test("does not overtake the call that has it composed", async () => {
    let answer = () => {};
    room.compose = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    await room.pass(1);
    expect(room.asked).toEqual(["compose run"]);
    answer();
    await room.pass(1);
    expect(room.asked).toEqual(["compose run", "cancel run"]);
  });

  test("without a network has it cancelled when the network is back", async () => {
    room.cancel = async () => {
      throw new Trouble("unreachable");
    };
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    await room.pass(300);
    room.cancel = async () => {};
    await room.pass(10);
    const { length } = room.asked;
    await room.pass(60);
    expect([room.asked.at(-1), room.asked.length]).toEqual(["cancel run", length]);
  });

  test.each(["complete", "failed"] as const)(
    "of a run of which everything is %s asks nothing",
    async (status) => {
      room.listening.begin(WISH);
      await room.pass(1);
      room.tell(status, status, status, status);
      await room.pass(5);
      room.listening.end();
      await room.pass(1);
      expect(room.asked).toEqual(["compose run"]);
    },
  );

  test("is meant by a new journey in the place of one under way", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.begin({ ...WISH, idempotencyKey: "k2" });
    await room.pass(1);
    expect(room.asked.slice(0, 2)).toEqual(["compose run", "cancel run"]);
  });
});

describe("Stop taken back", () => {
  test("goes on from where it was, and has the rest composed", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("complete", "generating", "queued", "queued");
    await room.pass(60);
    room.listening.end();
    await room.pass(0.1);
    expect(room.listening.view()).toMatchObject({ stage: "stopped", canTakeBack: true });
    const { journeySeconds } = room.player.snapshot();
    room.listening.takeBack();
    await room.pass(1);
    room.tell("complete", "generating", "queued", "queued");
    await room.pass(3);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
    const gone = room.player.snapshot().journeySeconds - journeySeconds;
    expect(gone).toBeGreaterThan(0);
    expect(gone).toBeLessThan(5);
    expect(room.asked).toEqual(["compose run", "cancel run", "compose run"]);
    expect(enter(room.memory).stage).toBe("kept");
  });

  test("before anything sounded waits for the same run, never shown as failed", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    room.tell("queued", "queued", "queued", "queued");
    room.listening.end();
    await room.pass(1);
    let answer = () => {};
    room.compose = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    room.listening.takeBack();
    await room.pass(2);
    expect([room.stage, room.decks.bed.level > 0]).toEqual(["composing", true]);
    answer();
    await room.pass(1);
    room.tell("first", "queued", "queued", "queued");
    await room.pass(6);
    expect([room.stage, room.wishes.length]).toEqual(["playing", 1]);
    expect(heard).not.toContain(t.trouble.failedRun);
  });

  test("at once sends the two calls in order, however late the first is answered", async () => {
    let answer = () => {};
    room.listening.begin(WISH);
    await room.pass(1);
    room.cancel = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    room.listening.end();
    await room.pass(0.1);
    room.listening.takeBack();
    await room.pass(5);
    expect(room.asked).toEqual(["compose run", "cancel run"]);
    answer();
    await room.pass(1);
    expect(room.asked).toEqual(["compose run", "cancel run", "compose run"]);
  });

  test("without a network is never cancelled later", async () => {
    room.cancel = async () => {
      throw new Trouble("unreachable");
    };
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    await room.pass(5);
    room.listening.takeBack();
    await room.pass(60);
    expect(room.asked.at(-1)).toBe("compose run");
  });

  test("while the brief is being written asks with the same key, and cancels nothing", async () => {
    const answer = room.holdCreate();
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    room.create = async () => ({ runId: "run", brief: null });
    room.listening.takeBack();
    answer();
    await room.pass(1);
    expect(new Set(room.wishes)).toEqual(new Set([WISH]));
    expect([room.stage, new Set(room.asked)]).toEqual(["composing", new Set(["compose run"])]);
  });

  test("keeps what was rated", async () => {
    await listen();
    room.listening.rate("suds_start", 4);
    room.listening.end();
    room.listening.takeBack();
    await room.pass(1);
    expect(room.listening.view().ratings).toEqual({ suds_start: 4 });
  });

  test("is not offered where there is nothing to go on with", async () => {
    room.create = async () => {
      throw new Trouble("quota", 3600);
    };
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    expect(room.listening.view().canTakeBack).toBe(false);
    room.listening.takeBack();
    expect(room.stage).toBe("stopped");
  });

  test("is over once the end is left", async () => {
    await listen();
    room.listening.end();
    room.listening.leave();
    room.listening.takeBack();
    await room.pass(5);
    expect([room.stage, room.decks.audible]).toEqual(["none", []]);
  });
});

describe("a reload", () => {
  test("gives back run and position, paused, and one tap goes on", async () => {
    await listen();
    const at = Math.floor(room.listening.view().sound.journeySeconds);
    enter(room.memory);
    await room.pass(1);
    expect(room.stage).toBe("kept");
    expect(Math.floor(room.listening.view().keptAt ?? 0)).toBe(at);
    room.tell(...all("complete"));
    await room.pass(2);
    expect(room.decks.audible).toEqual([]);
    room.listening.resume();
    expect(room.stage).not.toBe("ready");
    await room.pass(3);
    expect(room.stage).toBe("playing");
    expect(heard).not.toContain(t.playing.started);
    expect(room.listening.view().sound.journeySeconds).toBeGreaterThanOrEqual(at);
    expect(room.wishes).toEqual([]);
  });

  test("before the first sound goes on waiting for the same run", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    enter(room.memory);
    expect([room.stage, room.listening.view().keptAt]).toEqual(["kept", null]);
    room.listening.resume();
    room.tell("first", "queued", "queued", "queued");
    await room.pass(6);
    expect([room.stage, room.wishes]).toEqual(["playing", []]);
  });

  test("before the run was answered asks with the same key", async () => {
    room.create = () => new Promise(() => {});
    room.listening.begin(WISH);
    await room.pass(1);
    enter(room.memory);
    room.listening.resume();
    await room.pass(1);
    expect(room.wishes).toEqual([WISH]);
  });

  test("has the run put in hand, should the page have closed before that", async () => {
    room.compose = () => new Promise(() => {});
    room.listening.begin(WISH);
    await room.pass(1);
    enter(room.memory);
    room.listening.resume();
    await room.pass(1);
    expect(room.composed).toEqual(["run"]);
  });

  test("that is declined has nothing more bought", async () => {
    room.listening.begin(WISH);
    await room.pass(1);
    enter(room.memory);
    room.listening.leave();
    await room.pass(1);
    expect(room.asked).toEqual(["cancel run"]);
  });

  test("can be declined for good", async () => {
    await listen();
    enter(room.memory);
    room.listening.leave();
    expect(room.stage).toBe("none");
    expect(enter(room.memory).stage).toBe("none");
  });
});

describe("another tab", () => {
  test("takes the sound: this one falls silent and offers to take it back", async () => {
    await listen();
    room.listening.lost();
    await room.pass(1);
    expect([room.stage, room.decks.audible]).toEqual(["elsewhere", []]);
    room.listening.resume();
    await room.pass(3);
    expect([room.stage, room.decks.audible.length]).toEqual(["playing", 1]);
    expect(heard.at(-1)).toBe(t.playing.resumed);
  });

  test("that went on with the same journey is taken over where it is", async () => {
    await listen();
    room.listening.lost();
    const other = new Resume(room.memory);
    const kept = other.read();
    const place = { runId: "run", segmentIndex: 2, pieceSeconds: 30, journeySeconds: 630 };
    other.keep({ wish: WISH, runId: "run", brief: null, ratings: {}, ...kept, place });
    room.listening.resume();
    await room.pass(1);
    room.tell(...all("complete"));
    await room.pass(5);
    expect(room.stage).toBe("playing");
    expect(room.listening.view().sound.journeySeconds).toBeGreaterThan(630);
  });

  test.each(["form", "writing"] as const)(
    "takes the sound before the run exists (%s): one sounds, and the wish stays one",
    async (stage) => {
      if (stage === "form") room.open = async () => "form";
      else room.create = () => new Promise(() => {});
      room.listening.begin(WISH);
      await room.pass(1);
      room.listening.rate("suds_start", 7);
      expect(room.stage).toBe(stage);
      room.listening.lost();
      await room.pass(1);
      expect([room.stage, room.decks.bed.level]).toEqual(["elsewhere", 0]);
      room.open = async () => "open";
      room.create = async () => ({ runId: "run", brief: null });
      room.listening.resume();
      await room.pass(1);
      expect(room.stage).toBe("composing");
      expect(new Set(room.wishes)).toEqual(new Set([WISH]));
      expect(room.rated).toEqual([["run", "suds_start", 7]]);
    },
  );
});

describe("ratings", () => {
  test("given before the run exists are written as soon as it does", async () => {
    const answer = room.holdCreate();
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.rate("suds_start", 7);
    await room.pass(1);
    expect(room.rated).toEqual([]);
    answer();
    await room.pass(1);
    expect(room.rated).toEqual([["run", "suds_start", 7]]);
  });

  test("that could not be written are said to be, and change nothing else", async () => {
    await listen();
    room.rate = async () => {
      throw new Trouble("unreachable");
    };
    room.listening.rate("suds_mid", 3);
    await room.pass(1);
    expect(room.listening.view()).toMatchObject({ ratingFailed: true, stage: "playing" });
  });

  test("outlive a reload", async () => {
    await listen();
    room.listening.rate("suds_start", 4);
    enter(room.memory);
    expect(room.listening.view().ratings).toEqual({ suds_start: 4 });
  });

  test("are not asked for at the end of a journey that never had a run", async () => {
    room.create = () => new Promise(() => {});
    room.listening.begin(WISH);
    await room.pass(1);
    room.listening.end();
    expect(room.listening.view().rateable).toBe(false);
  });

  test("at the end still reach the run", async () => {
    await listen();
    room.listening.end();
    room.listening.rate("suds_end", 2);
    await room.pass(1);
    expect(room.rated).toEqual([["run", "suds_end", 2]]);
  });
});

describe("a past run", () => {
  const PAST = {
    id: "run",
    presetKey: "01-panique-anxiete",
    status: "ready",
    stopped: false,
    createdAt: new Date(),
    brief: { fr: "Posez-vous.", en: "Settle down." },
    sudsStart: 6,
  } as const;

  test("is heard again from its beginning, and composed no second time", async () => {
    room.listening.replay(PAST, false);
    await room.pass(1);
    room.tell(...all("complete"));
    await room.pass(5);
    expect([room.stage, room.composed, room.wishes]).toEqual(["playing", [], []]);
    expect(room.listening.view().ratings).toEqual({ suds_start: 6 });
  });

  test("that failed is composed to its end", async () => {
    room.listening.replay({ ...PAST, status: "failed" }, true);
    await room.pass(1);
    expect(room.composed).toEqual(["run"]);
  });

  test("that was stopped is composed before it is looked at", async () => {
    room.listening.replay({ ...PAST, status: "failed", stopped: true }, true);
    await room.pass(1);
    room.tell("first", "queued", "queued", "queued");
    await room.pass(6);
    expect([room.asked, room.stage]).toEqual([["compose run"], "playing"]);
    expect(heard).not.toContain(t.trouble.failedRun);
  });
});

test("a whole journey ends by itself, and is not offered again", async () => {
  room.listening.begin(WISH);
  await room.pass(1);
  room.tell(...all("complete"));
  await room.pass(1500);
  expect(room.stage).toBe("finished");
  expect(room.listening.view().canTakeBack).toBe(false);
  expect(enter(room.memory).stage).toBe("none");
});

test("nothing is left running once the page lets go", async () => {
  await listen();
  room.listening.end();
  room.listening.stop();
  room.player.dispose();
  await room.pass(1);
  expect(room.clock.pending).toBe(0);
});
