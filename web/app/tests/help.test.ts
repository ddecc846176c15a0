import { describe, expect, test } from "vitest";
import { addressOf, COUNTRIES, ELSEWHERE, firstCountry, helpFor, REVIEWED } from "../help";

const all = [...Object.values(COUNTRIES), ELSEWHERE];
const numbers = (lines: readonly { number: string }[]) => lines.map(({ number }) => number);

describe("help", () => {
  test.each([
    ["FR", ["15", "112", "114"], ["3114"]],
    ["BE", ["112"], ["0800 32 123"]],
    ["CH", ["144", "112"], ["143"]],
    ["GB", ["999", "112"], ["116 123"]],
    ["IE", ["112"], ["116 123"]],
    ["US", ["911"], ["988"]],
    ["CA", ["911"], ["988"]],
    [null, ["112"], ["findahelpline.com"]],
  ] as const)("of %s keeps emergencies and distress apart", (country, emergency, distress) => {
    const help = helpFor(country);
    expect(numbers(help.emergency)).toEqual(emergency);
    expect(numbers(help.distress)).toEqual(distress);
  });

  test("has a review date, and a source for every number", () => {
    expect(REVIEWED).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    for (const { emergency, distress } of all) {
      for (const line of [...emergency, ...distress]) {
        expect(line.source).toMatch(/^https:\/\//);
        expect(typeof line.toCheck).toBe("boolean");
      }
    }
  });

  test("is one tap: a call, a text message or a site", () => {
    const france = COUNTRIES.FR.emergency;
    expect(france.map(addressOf)).toEqual(["tel:15", "tel:112", "sms:114"]);
    expect(COUNTRIES.BE.distress.map(addressOf)).toEqual(["tel:080032123"]);
    expect(ELSEWHERE.distress.map(addressOf)).toEqual(["https://findahelpline.com"]);
  });
});

describe("the country", () => {
  test.each([
    [["fr-FR", "fr", "en-US"], "FR"],
    [["fr-BE"], "BE"],
    [["de-CH", "de"], "CH"],
    [["en-GB"], "GB"],
    [["fr", "fr-CA"], "CA"],
    // A language of habit does not move anybody to another country.
    [["fr", "en-US", "en"], null],
    [["pt-BR"], null],
    [["not a language"], null],
    [[], null],
  ] as const)("of a browser that asks for %j is %s", (languages, country) => {
    expect(firstCountry(languages)).toBe(country);
  });
});
