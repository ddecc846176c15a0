import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COUNTRIES, ELSEWHERE } from "../help";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";
import { firstLanguage } from "../i18n/language";
import { roundLength, spokenTime } from "../i18n/time";

/** Every text of a dictionary, with plausible values where one is asked for. */
function textsOf(part: object): string[] {
  return Object.values(part).flatMap((value): string[] => {
    if (typeof value === "string") return [value];
    if (typeof value === "function") return [String(value(2, 4, "3"))];
    return textsOf(value as object);
  });
}

const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const FRENCH = [
  "J'ai besoin de calme maintenant",
  "C'est un peu plus long que d'habitude. Vous pouvez rester, ou arrêter.",
  "Écouter ici",
  "Plus",
  "En attendant votre musique",
  "Regardez autour de vous. Nommez cinq choses que vous voyez.",
  "Arrêter est toujours une bonne décision. Ouvrez les yeux, sentez vos pieds au sol.",
  "Douleur dans la poitrine, malaise, souffle très court, faiblesse d'un côté, ou première " +
    "crise de ce genre ? Appelez le 15 ou le 112.",
  "Enceinte : n'appuyez pas sur les points LI4 et SP6 ; la musique seule convient.",
  "Pas au volant.",
  "Épilepsie, psychose, dissociation : parlez-en d'abord à un soignant.",
  "Parcours musical de bien-être. Ne remplace ni un avis médical ni un traitement.",
];

const ENGLISH = [
  "Chest pain, fainting, severe breathlessness, weakness on one side, or a first attack like " +
    "this? Call 112 or your local emergency number.",
];

describe("the words", () => {
  test.each(FRENCH)("are there as they were written: %s", (sentence) => {
    expect(textsOf(fr)).toContain(sentence);
  });

  test.each(ENGLISH)("are there in English as they were written: %s", (sentence) => {
    expect(textsOf(en)).toContain(sentence);
  });

  test("say where one resumes, and where one is", () => {
    expect(fr.resume.at(372)).toBe("Reprendre à 6 min 12");
    expect(fr.more.seekTo(130, 1200)).toBe("2 min 10 sur 20 min");
    expect(en.more.seekTo(130, 1200)).toBe("2 min 10 of 20 min");
  });

  test("are all there in both languages, and none is empty", () => {
    expect(textsOf(en)).toHaveLength(textsOf(fr).length);
    for (const text of [...textsOf(fr), ...textsOf(en)]) expect(text.trim()).not.toBe("");
  });

  test("hold no emoji and no exclamation", () => {
    for (const text of [...textsOf(fr), ...textsOf(en)]) {
      expect(text).not.toMatch(/\p{Extended_Pictographic}|!/u);
    }
  });
});

/** The two sentences that say what this is not. They alone may name it. */
const DISCLAIMERS = [fr.page.description, en.page.description];

const CLAIMS =
  /th[ée]rap|gu[ée]ri(?!son du)|\bsoign(?:e|er|era|ez|ent)\b|\btrait(?:e|er|ez|ement)s?\b|clini(?:qu|c)|\btreat|\bcur(?:e|es|ed|ing)\b|\bheal(?:s|ed|ing)?\b|\bpatient|sympt[oô]m|diagnos|rem[eè]d|anxiolyt|prescri/i;
const INSTRUCTIONS =
  /reten\w* (?:votre )?(?:souffle|respiration)|apn[ée]e|hold your breath|hypno|\btranse?\b|exposition|acupress|massez|tapping/i;

describe("the page speaks of well-being, never of treating, curing or therapy", () => {
  const help = [...Object.values(COUNTRIES), ELSEWHERE].flatMap(({ emergency, distress }) =>
    [...emergency, ...distress].flatMap(({ note }) => [note.fr, note.en]),
  );
  const spoken = {
    "the French dictionary": textsOf(fr).join("\n"),
    "the English dictionary": textsOf(en).join("\n"),
    help: help.join("\n"),
    "index.html": page("index.html"),
    "the manifest": page("public/manifest.webmanifest"),
  };

  test.each(Object.entries(spoken))("%s", (_where, text) => {
    const rest = DISCLAIMERS.reduce((left, known) => left.replaceAll(known, ""), text);
    expect(rest).not.toMatch(CLAIMS);
    expect(rest).not.toMatch(INSTRUCTIONS);
  });

  test("and its metadata say what it is not", () => {
    expect(page("index.html").replaceAll(/\s+/g, " ")).toContain(fr.page.description);
    expect(page("public/manifest.webmanifest")).toContain(fr.page.description);
  });
});

test("nothing in the page is inline, so that the strictest CSP holds", () => {
  const html = page("index.html");
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
  expect(html).not.toMatch(/https?:\/\//);
});

describe("the language", () => {
  test.each([
    [["fr-FR", "en"], "fr"],
    [["fr"], "fr"],
    [["en-GB", "fr"], "en"],
    [["de-DE"], "en"],
    [[], "en"],
  ] as const)("of a browser that asks for %j is %s", (browser, language) => {
    expect(firstLanguage(null, browser)).toBe(language);
  });

  test("that was chosen wins", () => {
    expect(firstLanguage("en", ["fr-FR"])).toBe("en");
  });
});

test.each([
  [0, "0 s"],
  [45.9, "45 s"],
  [60, "1 min"],
  [372, "6 min 12"],
  [1200, "20 min"],
])("%d seconds are said %s", (seconds, words) => {
  expect(spokenTime(seconds)).toBe(words);
});

test.each([
  [1188, 1200],
  [1200, 1200],
  [48, 48],
])("a journey of %d seconds is said to last %d", (seconds, said) => {
  expect(roundLength(seconds)).toBe(said);
});
