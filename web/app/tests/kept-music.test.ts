import { beforeEach, describe, expect, test } from "vitest";
import type { ReservePiece } from "../../engine";
import { FakeClock } from "../../engine/testing/fake-clock";
import {
  AGAIN_S,
  bears,
  CALM_S,
  CALM_UNKNOWN_S,
  type Connection,
  FAILURES_MAX,
  MusicKeeper,
  type MusicKeeperParts,
} from "../network/kept-music";

const FIRST = "00-universel-reset";
const OTHER = "01-panique-anxiete";

const piece = (id: string): ReservePiece => ({ id, url: id, seconds: 240, loudnessLufs: null });

/** A window whose browser is idle at once. */
class Page extends EventTarget {
  requestIdleCallback(then: () => void): number {
    then();
    return 0;
  }
}

let clock: FakeClock;
let page: Page;
let asked: string[];
let kept: Map<string, string>;
let tried: number;
let full: boolean;

beforeEach(() => {
  clock = new FakeClock();
  page = new Page();
  asked = [];
  kept = new Map();
  tried = 0;
  full = false;
});

function keeper(connection?: Connection, changes: Partial<MusicKeeperParts> = {}): MusicKeeper {
  const made = new MusicKeeper({
    clock,
    page: page as unknown as Window,
    connection,
    online: () => true,
    allowed: () => true,
    busy: () => false,
    find: async (presetKey) => {
      asked.push(presetKey);
      return [piece(`${presetKey} 1`), piece(`${presetKey} 2`)];
    },
    kept: {
      keep: async (presetKey, { id }) => {
        tried += 1;
        if (!full) kept.set(presetKey, id);
      },
      isFresh: async (presetKey) => kept.has(presetKey),
    },
    ...changes,
  });
  made.start();
  return made;
}

describe("the first card's piece", () => {
  test("is kept once the page has been left alone, on a connection known to be good", async () => {
    keeper({ effectiveType: "4g", saveData: false });
    await clock.advance(CALM_S - 0.1);
    expect(kept.size).toBe(0);
    await clock.advance(0.1);
    expect([...kept]).toEqual([[FIRST, `${FIRST} 1`]]);
  });

  test("is kept later where the connection is unknown, and not while somebody is at it", async () => {
    keeper();
    await clock.advance(CALM_UNKNOWN_S - 1);
    page.dispatchEvent(new Event("pointerdown"));
    await clock.advance(CALM_UNKNOWN_S - 1);
    expect(kept.size).toBe(0);
    await clock.advance(1);
    expect(kept.has(FIRST)).toBe(true);
  });

  test("is not asked for again where it is kept", async () => {
    kept.set(FIRST, "before");
    keeper({});
    await clock.advance(CALM_S + 10 * AGAIN_S);
    expect(asked).toEqual([]);
  });

  test.each([
    ["the listener does not want it", {}, { allowed: () => false }],
    ["there is no network", {}, { online: () => false }],
    ["data are to be saved", { saveData: true }, {}],
    ["the connection is slow", { effectiveType: "3g" }, {}],
  ])("is never kept where %s", async (_, connection, changes) => {
    keeper(connection, changes);
    await clock.advance(CALM_S + 10 * AGAIN_S);
    expect(asked).toEqual([]);
  });

  test("waits for as long as a journey waits for its music", async () => {
    let busy = true;
    keeper({}, { busy: () => busy });
    await clock.advance(CALM_S + 3 * AGAIN_S);
    expect(asked).toEqual([]);
    busy = false;
    await clock.advance(AGAIN_S);
    expect(kept.has(FIRST)).toBe(true);
  });
});

describe("the piece of a journey", () => {
  test("is kept after it has begun: the one that is heard first, without asking again", async () => {
    kept.set(FIRST, "before");
    await keeper({}).ask(OTHER);
    await clock.advance(CALM_S);
    expect(kept.get(OTHER)).toBe(`${OTHER} 1`);
    expect(asked).toEqual([OTHER]);
  });

  test("is looked for no more once it is kept, or there is none", async () => {
    const made = keeper({}, { find: async () => [] });
    expect(await made.ask(OTHER)).toEqual([]);
    await clock.advance(CALM_S + 5 * AGAIN_S);
    expect(tried).toBe(0);
  });
});

test("failures end, for this visit", async () => {
  full = true;
  const made = keeper({});
  for (let i = 0; i < 2 * FAILURES_MAX; i += 1) {
    await made.ask(`preset-${i}`);
    await clock.advance(CALM_S + AGAIN_S);
  }
  expect(tried).toBeGreaterThan(0);
  expect(tried).toBeLessThanOrEqual(FAILURES_MAX + 1);
});

test("a function that is away is asked three times, no more", async () => {
  const find = async () => {
    tried += 1;
    throw new Error("away");
  };
  keeper({}, { find });
  await clock.advance(CALM_S + 10 * AGAIN_S);
  expect(tried).toBe(FAILURES_MAX);
});

test("an unknown connection may bear it", () => {
  expect(bears(undefined)).toBe(true);
  expect(bears({ effectiveType: "2g" })).toBe(false);
});
