import { beforeEach, describe, expect, test } from "vitest";
import type { ReservePiece } from "../../engine";
import { FakeClock } from "../../engine/testing/fake-clock";
import {
  ANSWER_S_MAX,
  CachedPieces,
  KEPT_CACHE,
  KEPT_MS_MAX,
  OTHER_PIECES_MAX,
  PIECE_BYTES_MAX,
  reserveWithKept,
} from "../network/kept-pieces";
import { FakeCaches } from "./fake-caches";

const FIRST = "00-universel-reset";
const OTHER = "01-panique-anxiete";
const BASE = "https://page.example/x/";
const TOKEN = "token=secret";

let storage: FakeCaches;
let allowed: boolean;
let now: number;
let downloads: string[];
let answer: () => Response;

beforeEach(() => {
  storage = new FakeCaches();
  allowed = true;
  now = 1_000_000;
  downloads = [];
  answer = () => mp3(1000);
});

function mp3(bytes: number, headers: Record<string, string> = {}, status = 200): Response {
  const body = new Uint8Array(bytes);
  body.set([0x49, 0x44, 0x33]);
  const sent = { "content-type": "audio/mpeg", "content-length": String(bytes), ...headers };
  return new Response(body, { status, headers: sent });
}

function piece(id: string): ReservePiece {
  return { id, url: `https://store.example/${id}.mp3?${TOKEN}`, seconds: 240, loudnessLufs: -18 };
}

function pieces(caches: unknown): CachedPieces {
  return new CachedPieces({
    caches: caches as CacheStorage,
    base: BASE,
    now: () => now,
    allowed: () => allowed,
    fetch: async (url) => {
      downloads.push(url);
      return answer();
    },
  });
}

async function addresses(): Promise<string[]> {
  const cache = await storage.open(KEPT_CACHE);
  return [...cache.kept.keys()].map((url) => url.replace(BASE, "")).sort();
}

describe("a piece that is kept", () => {
  test("is found again, as a blob of its own bytes", async () => {
    await pieces(storage).keep(OTHER, piece("p"));
    const found = await pieces(storage).find(OTHER);

    expect(found).toMatchObject({ id: "p", seconds: 240, loudnessLufs: -18 });
    expect(found?.url).toMatch(/^blob:/);
    expect((await (await fetch(found?.url ?? "")).arrayBuffer()).byteLength).toBe(1000);
  });

  test("lies under an address of the page, and no signed address is written down", async () => {
    await pieces(storage).keep(OTHER, piece("p"));

    expect(await addresses()).toEqual(["kept/01-panique-anxiete.mp3", "kept/index.json"]);
    const cache = await storage.open(KEPT_CACHE);
    const index = await cache.match(`${BASE}kept/index.json`);
    const written = JSON.stringify(await index?.json());
    expect(written).toContain('"p"');
    expect(written).not.toContain("secret");
    expect(written).not.toContain("store.example");
  });

  test("of the first card is found for a preset that has none", async () => {
    await pieces(storage).keep(FIRST, piece("first"));

    expect((await pieces(storage).find(OTHER))?.id).toBe("first");
  });

  test("has one address in a page, however often it is asked for", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("p"));

    expect((await kept.find(FIRST))?.url).toBe((await kept.find(FIRST))?.url);
  });

  test("is not downloaded again before it is old", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("p"));
    now += KEPT_MS_MAX - 1;
    await kept.keep(FIRST, piece("q"));
    expect(downloads).toHaveLength(1);
    expect(await kept.isFresh(FIRST)).toBe(true);

    now += 1;
    expect(await kept.isFresh(FIRST)).toBe(false);
    await kept.keep(FIRST, piece("q"));
    expect((await kept.find(FIRST))?.id).toBe("q");
  });

  test("stays, however old, where the new one cannot be had", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("p"));
    now += KEPT_MS_MAX;
    answer = () => mp3(10, {}, 400);
    await kept.keep(FIRST, piece("q"));

    expect((await kept.find(FIRST))?.id).toBe("p");
  });

  test("gives way to those used after it, the first card's never", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("first"));
    for (let i = 0; i <= OTHER_PIECES_MAX; i += 1) {
      now += 1;
      await kept.keep(`preset-${i}`, piece(`p${i}`));
    }

    expect(await addresses()).toEqual([
      `kept/${FIRST}.mp3`,
      "kept/index.json",
      ...[1, 2, 3].map((i) => `kept/preset-${i}.mp3`),
    ]);
  });

  test("stays when its preset is used again", async () => {
    const kept = pieces(storage);
    for (const i of [0, 1, 2, 0, 3]) {
      now += 1;
      await kept.keep(`preset-${i}`, piece(`p${i}`));
    }

    expect((await kept.find("preset-0"))?.id).toBe("p0");
    expect(await kept.find("preset-1")).toBeNull();
  });

  test("cannot leave the folder by its preset's name", async () => {
    await pieces(storage).keep("../../evil", piece("p"));

    expect(await addresses()).toContain("kept/..%2F..%2Fevil.mp3");
  });
});

describe("nothing is kept", () => {
  test.each([
    ["that is refused", () => mp3(1000, {}, 403)],
    ["that is only a part", () => mp3(1000, {}, 206)],
    ["that is not sound", () => mp3(1000, { "content-type": "text/html" })],
    [
      "that is only called sound",
      () => new Response("<html>", { headers: { "content-type": "audio/mpeg" } }),
    ],
    ["that is shorter than was said", () => mp3(1000, { "content-length": "2000" })],
    ["that is said to be too large", () => mp3(9, { "content-length": `${PIECE_BYTES_MAX + 1}` })],
    [
      "that breaks off",
      () =>
        new Response(new ReadableStream({ start: (to) => to.error(new TypeError()) }), {
          headers: { "content-type": "audio/mpeg" },
        }),
    ],
  ])("%s", async (_, said) => {
    answer = said;
    await pieces(storage).keep(FIRST, piece("p"));

    expect(downloads).toHaveLength(1);
    expect(await addresses()).toEqual([]);
    expect(await pieces(storage).find(FIRST)).toBeNull();
  });

  test("on a full disk, and what was there stays", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("p"));
    (await storage.open(KEPT_CACHE)).full = true;
    await kept.keep(OTHER, piece("q"));

    expect((await kept.find(OTHER))?.id).toBe("p");
  });

  test.each([
    ["where there is no Cache Storage", undefined],
    [
      "where it is forbidden",
      { open: () => Promise.reject(new DOMException("no", "SecurityError")) },
    ],
  ])("%s, and nobody notices", async (_, caches) => {
    const kept = pieces(caches);
    await kept.keep(FIRST, piece("p"));
    await kept.clear();

    expect(await kept.find(FIRST)).toBeNull();
    expect(await kept.isFresh(FIRST)).toBe(false);
    expect(downloads).toEqual([]);
  });

  test("where the listener does not want it", async () => {
    allowed = false;
    await pieces(storage).keep(FIRST, piece("p"));

    expect(downloads).toEqual([]);
  });

  test("where the listener turns it off during the download", async () => {
    answer = () => {
      allowed = false;
      return mp3(1000);
    };
    await pieces(storage).keep(FIRST, piece("p"));

    expect(storage.all.size).toBe(0);
  });
});

describe("what is kept", () => {
  test("is erased whole", async () => {
    const kept = pieces(storage);
    await kept.keep(FIRST, piece("p"));
    await kept.clear();

    expect(storage.all.size).toBe(0);
    expect(await kept.find(FIRST)).toBeNull();
  });

  test("is not trusted where a part of it is gone", async () => {
    await pieces(storage).keep(FIRST, piece("p"));
    const cache = await storage.open(KEPT_CACHE);
    await cache.put(`${BASE}kept/${FIRST}.mp3`, mp3(999));
    expect(await pieces(storage).find(FIRST)).toBeNull();

    await cache.delete(`${BASE}kept/${FIRST}.mp3`);
    expect(await pieces(storage).find(FIRST)).toBeNull();
    await cache.put(`${BASE}kept/index.json`, new Response("{"));
    expect(await pieces(storage).find(FIRST)).toBeNull();
  });
});

describe("with or without a network", () => {
  const kept = { find: async () => ({ ...piece("kept"), url: "blob:kept" }) };
  const none = { find: async () => null };
  const clock = new FakeClock();
  const online = { clock, online: () => true };

  test("the network's pieces come first, and the kept one is there if they go", async () => {
    const find = reserveWithKept(async () => [piece("p"), piece("q")], kept, online);
    expect((await find(FIRST)).map(({ id }) => id)).toEqual(["p", "q", "kept"]);
    const alone = reserveWithKept(async () => [piece("p")], none, online);
    expect(await alone(FIRST)).toEqual([piece("p")]);
  });

  test("one that the network has as well is not downloaded again", async () => {
    const find = reserveWithKept(async () => [piece("p"), piece("kept")], kept, online);
    expect((await find(FIRST)).map(({ url }) => url)).toEqual([piece("p").url, "blob:kept"]);
  });

  test.each([
    ["has none", async () => []],
    ["fails", () => Promise.reject(new Error("away"))],
  ])("the kept one plays where the network %s", async (_, asked) => {
    const [found] = await reserveWithKept(asked, kept, online)(FIRST);
    expect(found?.id).toBe("kept");
  });

  test("nothing is waited for where there is no network", async () => {
    const find = reserveWithKept(() => new Promise(() => {}), kept, {
      clock,
      online: () => false,
    });
    expect((await find(FIRST))[0]?.id).toBe("kept");
  });

  test("the kept one plays where the network keeps waiting", async () => {
    const found = reserveWithKept(() => new Promise(() => {}), kept, online)(FIRST);
    await clock.advance(ANSWER_S_MAX);
    expect((await found)[0]?.id).toBe("kept");
  });

  test("where nothing is kept, the network's answer counts, however late", async () => {
    let answerNow = (_: ReservePiece[]) => {};
    const late = new Promise<ReservePiece[]>((resolve) => {
      answerNow = resolve;
    });
    const found = reserveWithKept(() => late, none, online)(FIRST);
    await clock.advance(ANSWER_S_MAX + 1);
    answerNow([piece("p")]);
    expect((await found)[0]?.id).toBe("p");

    const refused = reserveWithKept(() => Promise.reject(new Error("away")), none, online)(FIRST);
    await expect(refused).rejects.toThrow("away");
  });
});
