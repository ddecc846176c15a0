import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COUNTRIES, ELSEWHERE } from "../help";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";
import { firstLanguage } from "../i18n/language";
import { momentOf, roundLength, spokenTime } from "../i18n/time";

/** Reads as a number, a text, a list and a moment: whatever a text is made with. */
const PLAUSIBLE = Object.assign(["2"], { day: "3", time: "4" });

/** Every text of a dictionary, with plausible values where one is asked for. */
function textsOf(part: object): string[] {
  return Object.values(part).flatMap((value): string[] => {
    if (typeof value === "string") return [value];
    if (typeof value === "function") return [String(value(PLAUSIBLE, PLAUSIBLE, PLAUSIBLE))];
    return textsOf(value as object);
  });
}

const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const FRENCH = [
  "J'ai besoin de calme maintenant",
  "C'est un peu plus long que d'habitude. Vous pouvez attendre, ou arrêter l'écoute.",
  "Écouter ici",
  "Plus",
  "En attendant votre musique",
  "Regardez autour de vous. Nommez cinq choses que vous voyez.",
  "La musique est arrêtée. Prenez votre temps : ouvrez les yeux, sentez vos pieds au sol.",
  "Douleur dans la poitrine, malaise, souffle très court, faiblesse d'un côté, ou première " +
    "crise de ce genre ?",
  "Pas au volant.",
  "Épilepsie, psychose, dissociation : parlez-en d'abord à un soignant.",
  "Parcours musical de bien-être. Ne remplace ni un avis médical ni un traitement.",
];

const ENGLISH = [
  "Chest pain, fainting, severe breathlessness, weakness on one side, or a first attack like " +
    "this?",
];

/** Words that a listener in despair could take for something else than the music. */
const ABOUT_STOPPING = /arrêt|\bstop|finir|\bend\b/i;
const ABOUT_MUSIC = /musique|écoute|music|listening/i;

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
    expect(en.resume.at(372)).toBe("Resume at 6 min 12 s");
    expect(en.more.seekTo(130, 1200)).toBe("2 min 10 s of 20 min");
  });

  test("are all there in both languages, and none is empty", () => {
    expect(textsOf(en)).toHaveLength(textsOf(fr).length);
    for (const text of [...textsOf(fr), ...textsOf(en)]) expect(text.trim()).not.toBe("");
  });

  test("speak of stopping only where they name the music", () => {
    const texts = [...textsOf(fr), ...textsOf(en)].filter((text) => ABOUT_STOPPING.test(text));
    // Of the light, or beside the title of a journey.
    const labels = ["Stop", "Stop following the light", "Arrêté", "Stopped"];
    const others = texts.filter((text) => !ABOUT_MUSIC.test(text) && !labels.includes(text));
    expect(others).toEqual([]);
  });

  test("call a piece « morceau », for « pièce » is a page", () => {
    for (const text of textsOf(fr)) expect(text).not.toMatch(/pièce/i);
  });

  test("warn of no point of the body: none is pressed", () => {
    for (const text of [...textsOf(fr), ...textsOf(en)]) {
      expect(text).not.toMatch(/\b(?:GI|LI|RP|SP) ?\d|enceinte|pregnan/i);
    }
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
  expect(spokenTime(seconds, "fr")).toBe(words);
});

test.each([
  [1188, 1200],
  [1200, 1200],
  [48, 48],
])("a journey of %d seconds is said to last %d", (seconds, said) => {
  expect(roundLength(seconds)).toBe(said);
});

describe("a moment", () => {
  const NOW = new Date("2026-11-30T20:30:00Z");

  test.each([
    ["2026-11-30T14:22:00Z", "aujourd'hui", "15 h 22", "today", "3:22 pm"],
    ["2026-11-30T07:00:00Z", "aujourd'hui", "8 h", "today", "8 am"],
    ["2026-11-29T23:05:00Z", "aujourd'hui", "0 h 05", "today", "12:05 am"],
    ["2026-11-29T22:59:00Z", "hier", "23 h 59", "yesterday", "11:59 pm"],
    ["2026-11-29T11:00:00Z", "hier", "12 h", "yesterday", "12 pm"],
    ["2026-12-01T02:05:00Z", "demain", "3 h 05", "tomorrow", "3:05 am"],
    ["2026-11-12T14:22:00Z", "12 novembre", "15 h 22", "12 November", "3:22 pm"],
    ["2025-03-01T14:22:00Z", "1er mars 2025", "15 h 22", "1 March 2025", "3:22 pm"],
    // The clocks went back in between: still "so many calendar days ago".
    ["2026-10-24T22:30:00Z", "25 octobre", "0 h 30", "25 October", "12:30 am"],
  ])("of %s is said in Paris: %s, %s", (when, day, time, englishDay, englishTime) => {
    const moment = (language: "fr" | "en") =>
      momentOf(new Date(when), NOW, language, "Europe/Paris");
    expect(moment("fr")).toEqual({ day, time });
    expect(moment("en")).toEqual({ day: englishDay, time: englishTime });
  });

  test("follows the place: today in Paris is yesterday in Montreal", () => {
    const when = new Date("2026-11-30T03:00:00Z");
    expect(momentOf(when, NOW, "fr", "Europe/Paris").day).toBe("aujourd'hui");
    expect(momentOf(when, NOW, "fr", "America/Toronto").day).toBe("hier");
  });

  test("is whole in a sentence", () => {
    const moment = momentOf(new Date("2026-11-30T14:22:00Z"), NOW, "fr", "Europe/Paris");
    expect(fr.runs.when(moment)).toBe("aujourd'hui, 15 h 22");
    expect(fr.errors.quotaUntil(moment)).toBe(
      "Vous pourrez en composer un nouveau aujourd'hui, vers 15 h 22.",
    );
  });
});
