import { describe, expect, test } from "vitest";
import {
  addressOf,
  COUNTRIES,
  type Country,
  callable,
  countryOf,
  ELSEWHERE,
  helpFor,
  isChecked,
  REVIEWED,
} from "../help";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";

const all = [...Object.values(COUNTRIES), ELSEWHERE];
const numbers = (lines: readonly { number: string }[]) => lines.map(({ number }) => number);

describe("help", () => {
  test.each([
    ["FR", ["15", "112", "114"], ["3114"]],
    ["BE", ["112"], ["0800 32 123"]],
    ["CH", ["144", "112"], ["143"]],
    ["GB", ["999", "112"], ["116 123"]],
    ["IE", ["112"], ["116 123"]],
    ["US", ["911", "112"], ["988"]],
    ["CA", ["911", "112"], ["988"]],
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

const LOCAL = ["le numéro d'urgence de votre pays", "your local emergency number"];

describe("when music is not what is needed, one is told to call", () => {
  const told = (country: Country | null) => {
    const { emergency } = helpFor(country);
    const numbers = callable(emergency);
    return [fr, en].map((t) => t.safety.call(numbers, !isChecked(emergency)));
  };

  test.each([
    ["FR", "Appelez le 15 ou le 112.", "Call 15 or 112."],
    ["CA", `Appelez le 911, le 112 ou ${LOCAL[0]}.`, `Call 911, 112 or ${LOCAL[1]}.`],
    ["US", `Appelez le 911, le 112 ou ${LOCAL[0]}.`, `Call 911, 112 or ${LOCAL[1]}.`],
    ["CH", `Appelez le 144, le 112 ou ${LOCAL[0]}.`, `Call 144, 112 or ${LOCAL[1]}.`],
    ["GB", `Appelez le 999, le 112 ou ${LOCAL[0]}.`, `Call 999, 112 or ${LOCAL[1]}.`],
    ["BE", `Appelez le 112 ou ${LOCAL[0]}.`, `Call 112 or ${LOCAL[1]}.`],
    ["IE", `Appelez le 112 ou ${LOCAL[0]}.`, `Call 112 or ${LOCAL[1]}.`],
    [null, `Appelez le 112 ou ${LOCAL[0]}.`, `Call 112 or ${LOCAL[1]}.`],
  ] as const)("what the list of %s says", (country, french, english) => {
    expect(told(country)).toEqual([french, english]);
  });

  test("112 and the local number wherever a number is still to be checked", () => {
    for (const country of [...(Object.keys(COUNTRIES) as Country[]), null]) {
      const { emergency } = helpFor(country);
      if (!isChecked(emergency)) expect(callable(emergency)).toContain("112");
      for (const words of told(country)) {
        expect(LOCAL.some((local) => words.includes(local))).toBe(!isChecked(emergency));
      }
    }
  });
});

describe("the country", () => {
  const of = (
    languages: readonly string[],
    timeZone?: string,
    chosen: string | null = null,
  ): Country | null => countryOf({ chosen, languages, timeZone });

  test.each([
    [["fr-FR", "fr", "en-US"], "FR"],
    [["fr-BE"], "BE"],
    [["fr-CA", "fr"], "CA"],
    [["fr-CH"], "CH"],
    [["de-CH", "de"], "CH"],
    [["en-GB"], "GB"],
    [["fr", "fr-CA"], "CA"],
    // A language alone is spoken in many countries.
    [["fr"], null],
    [["en"], null],
    // A language of habit does not move anybody to another country.
    [["fr", "en-US", "en"], null],
    [["pt-BR"], null],
    [["not a language"], null],
    [[], null],
  ] as const)("of a browser that asks for %j is %s", (languages, country) => {
    expect(of(languages)).toBe(country);
    expect(of(languages, "UTC")).toBe(country);
  });

  test.each([
    ["Europe/Paris", "FR"],
    ["Europe/Brussels", "BE"],
    ["Europe/Zurich", "CH"],
    ["Europe/London", "GB"],
    ["Europe/Dublin", "IE"],
    ["America/New_York", "US"],
    ["America/Toronto", "CA"],
    ["America/Montreal", "CA"],
    ["America/Indiana/Knox", "US"],
    ["Pacific/Honolulu", "US"],
    ["America/Argentina/Ushuaia", null],
    ["Africa/Dakar", null],
    ["America/Sao_Paulo", null],
    ["Etc/UTC", null],
    ["constructor", null],
    [undefined, null],
  ] as const)("where the languages name none is that of the time zone %s: %s", (zone, country) => {
    expect(of(["fr", "en-US"], zone)).toBe(country);
  });

  test("is the region's, whatever the time zone says", () => {
    expect(of(["fr-CA"], "Europe/Paris")).toBe("CA");
    expect(of(["fr-CH"], "Europe/Paris")).toBe("CH");
    // A country that the list does not have is a country all the same.
    expect(of(["pt-BR"], "Europe/Paris")).toBeNull();
  });

  test("is the listener's choice before all else, also when it is none of the list", () => {
    expect(of(["fr-FR"], "Europe/Paris", "CA")).toBe("CA");
    expect(of(["fr-FR"], "Europe/Paris", "elsewhere")).toBeNull();
    expect(of(["fr-FR"], "Europe/Paris", "7?")).toBe("FR");
  });
});
