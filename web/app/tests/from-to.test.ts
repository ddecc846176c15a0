import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";
import { after } from "../i18n/french";

/** The hidden text of the from-to line of each preset, in both languages. */
const WAYS: Readonly<Record<string, readonly [string, string]>> = {
  "00-universel-reset": ["De là où vous êtes vers l'équilibre", "From wherever you are to balance"],
  "01-panique-anxiete": [
    "De l'alarme vers le calme, les pieds au sol",
    "From alarm to calm, feet on the ground",
  ],
  "02-stress-overwhelm": [
    "De la surcharge vers un rythme plus lent",
    "From overload to a slower pace",
  ],
  "03-rumination-culpabilite": [
    "Des pensées qui tournent vers la clarté",
    "From thoughts going in circles to clarity",
  ],
  "04-tristesse-deuil": [
    "De la tristesse vers un peu de lumière",
    "From sadness to a little light",
  ],
  "05-apathie-demotivation": ["De l'apathie vers un premier élan", "From apathy to a first spark"],
  "06-colere-irritabilite": [
    "De la colère vers une parole ferme et calme",
    "From anger to firm, calm words",
  ],
  "07-peur-anticipatoire": [
    "De l'appréhension vers un abri en soi",
    "From dread to shelter within",
  ],
  "08-honte-anxiete-sociale": [
    "De la honte vers la douceur envers soi",
    "From shame to kindness to yourself",
  ],
  "09-jalousie-envie": [
    "De la comparaison vers le retour à soi",
    "From comparing to coming back to yourself",
  ],
  "10-solitude-isolement": ["De la solitude vers le lien", "From loneliness to connection"],
  "11-fatigue-mentale": ["De l'épuisement vers un vrai repos", "From exhaustion to real rest"],
  "12-hypersensibilite": [
    "Du trop-plein des sens vers un filtre plus doux",
    "From flooded senses to a softer filter",
  ],
  "13-douleur-physique": [
    "Du corps crispé vers un peu plus d'espace",
    "From a clenched body to a little more room",
  ],
  "14-manque-confiance": [
    "Du doute vers une assurance tranquille",
    "From doubt to quiet assurance",
  ],
  "15-perfectionnisme": [
    "Du besoin de tout tenir vers la souplesse",
    "From holding on to everything to suppleness",
  ],
  "16-nostalgie-melancolie": [
    "De la nostalgie vers la douceur d'aujourd'hui",
    "From nostalgia to the sweetness of today",
  ],
  "17-motivation-energie": [
    "De l'envie de bouger vers le mouvement",
    "From an urge to move to movement",
  ],
  "18-concentration-flow": [
    "De l'attention éparpillée vers une attention stable",
    "From scattered attention to steady focus",
  ],
  "19-amour-gratitude": [
    "De la gratitude vers un cœur plus large",
    "From gratitude to a wider heart",
  ],
};

const FOLDER = new URL("../../../backend/parcours_xl/domain/presets/", import.meta.url);
const SHEETS = readdirSync(FOLDER).filter((name) => name.endsWith(".toml"));

/** The feelings as the service's own sheet has them: `from_feeling = { fr = "…", en = "…" }`. */
function feeling(sheet: string, name: string): { fr: string; en: string } {
  const text = readFileSync(new URL(sheet, FOLDER), "utf8");
  const found = new RegExp(`^${name} = \\{ fr = "(.+)", en = "(.+)" \\}$`, "m").exec(text);
  if (!found?.[1] || !found[2]) throw new Error(`${sheet} has no ${name}`);
  return { fr: found[1], en: found[2] };
}

describe("the from-to line of a preset", () => {
  test("is known of all twenty", () => {
    expect(SHEETS.map((sheet) => sheet.replace(".toml", ""))).toEqual(Object.keys(WAYS));
  });

  test.each(SHEETS)("is said as one says it: %s", (sheet) => {
    const from = feeling(sheet, "from_feeling");
    const to = feeling(sheet, "to_feeling");
    expect([fr.card.fromTo(from.fr, to.fr), en.card.fromTo(from.en, to.en)]).toEqual(
      WAYS[sheet.replace(".toml", "")],
    );
  });

  test.each(SHEETS)("leads from a thing to a thing, never to a verb: %s", (sheet) => {
    for (const name of ["from_feeling", "to_feeling"]) {
      expect(feeling(sheet, name).fr).toMatch(/^(?:l[ae] |les |l'|une? |là où )/);
    }
  });
});

test.each([
  ["le trop-plein", "du trop-plein"],
  ["les pensées", "des pensées"],
  ["la honte", "de la honte"],
  ["l'alarme", "de l'alarme"],
  ["un doute", "d'un doute"],
  ["une envie", "d'une envie"],
  ["des pensées", "de pensées"],
  ["des idées", "d'idées"],
  ["espoir", "d'espoir"],
  ["écoute", "d'écoute"],
  ["honte", "de honte"],
  ["là où vous êtes", "de là où vous êtes"],
])("« de » and « %s » make « %s »", (phrase, contracted) => {
  expect(after(phrase)).toBe(contracted);
});
