import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CHROMA_MAX, COLOURS, coloursOf, css, DEFAULT_COLOURS, mix } from "../ambient/colours";

const pairs = Object.entries(COLOURS);

describe("the twenty colour pairs", () => {
  test("are one for each preset of the service", () => {
    const folder = new URL("../../../backend/parcours_xl/domain/presets", import.meta.url);
    const keys = readdirSync(folder)
      .filter((name) => name.endsWith(".toml"))
      .map((name) => name.replace(".toml", ""));
    expect(Object.keys(COLOURS)).toEqual(keys.sort());
  });

  test.each(pairs)("%s never shouts, on the whole way", (_key, pair) => {
    for (let step = 0; step <= 10; step += 1) {
      expect(mix(pair, step / 10).c).toBeLessThanOrEqual(CHROMA_MAX + 1e-9);
    }
  });

  test.each(pairs)("%s holds no red, which is for real errors", (_key, { from, to }) => {
    for (const { c, h } of [from, to]) {
      const red = h > 12 && h < 36 && c > 0.065;
      expect(red).toBe(false);
    }
  });

  test("start and end where they say", () => {
    const pair = COLOURS["07-peur-anticipatoire"] ?? DEFAULT_COLOURS;
    for (const [progress, colour] of [
      [0, pair.from],
      [1, pair.to],
      [7, pair.to],
    ] as const) {
      expect(mix(pair, progress).h).toBeCloseTo(colour.h);
      expect(mix(pair, progress).l).toBeCloseTo(colour.l);
    }
  });
});

test("a service may send its own pair, and an unknown preset has the default one", () => {
  expect(
    coloursOf({ key: "x", colors: { from: DEFAULT_COLOURS.to, to: DEFAULT_COLOURS.from } }).from,
  ).toBe(DEFAULT_COLOURS.to);
  expect(coloursOf({ key: "x" })).toBe(DEFAULT_COLOURS);
  expect(coloursOf(undefined)).toBe(DEFAULT_COLOURS);
});

test("a colour is written as CSS knows it", () => {
  expect(css({ l: 0.5, c: 0.05, h: 120 }, 0.25)).toBe("oklch(0.5000 0.0500 120.00 / 0.2500)");
});
