/** Help, by country. ONE place for every number; offline it is all there. */

import type { Bilingual } from "./contracts";
import { countryOfZone } from "./time-zones";

/** When these numbers were last gone through. */
export const REVIEWED = "2026-11-22";

export interface Line {
  readonly number: string;
  /** "sms" is written to, "web" is a site. */
  readonly by: "call" | "sms" | "web";
  readonly note: Bilingual;
  readonly source: string;
  /**
   * false: read on the named official page on `REVIEWED`. true: named in the project's brief only;
   * a human must still check it there, before the page opens to the public. All of them: again
   * every six months.
   */
  readonly toCheck: boolean;
}

export interface CountryHelp {
  readonly name: Bilingual;
  readonly emergency: readonly Line[];
  /** Distress, suicidal thoughts. */
  readonly distress: readonly Line[];
}

const day = { fr: "Jour et nuit, gratuit", en: "Day and night, free" };

const DILA_EMERGENCIES = "https://www.service-public.fr/particuliers/vosdroits/F33954";

const EU_EMERGENCY: Line = {
  number: "112",
  by: "call",
  note: { fr: "Urgences, partout en Europe", en: "Emergencies, all over Europe" },
  source: "https://digital-strategy.ec.europa.eu/en/policies/112",
  toCheck: true,
};

const FIND_A_HELPLINE: Line = {
  number: "findahelpline.com",
  by: "web",
  note: { fr: "Une écoute dans votre pays", en: "A helpline in your country" },
  source: "https://findahelpline.com",
  toCheck: true,
};

export const COUNTRIES = {
  FR: {
    name: { fr: "France", en: "France" },
    emergency: [
      {
        number: "15",
        by: "call",
        note: { fr: "Samu : urgence médicale", en: "Medical emergency (Samu)" },
        source: DILA_EMERGENCIES,
        toCheck: false,
      },
      { ...EU_EMERGENCY, source: DILA_EMERGENCIES, toCheck: false },
      {
        number: "114",
        by: "sms",
        note: {
          fr: "Par SMS, si parler ou entendre est difficile",
          en: "By text, if speaking or hearing is hard",
        },
        source: DILA_EMERGENCIES,
        toCheck: false,
      },
    ],
    distress: [
      {
        number: "3114",
        by: "call",
        note: day,
        source: "https://www.service-public.fr/particuliers/actualites/A15206",
        toCheck: false,
      },
    ],
  },
  BE: {
    name: { fr: "Belgique", en: "Belgium" },
    emergency: [EU_EMERGENCY],
    distress: [
      {
        number: "0800 32 123",
        by: "call",
        note: day,
        source: "https://www.preventionsuicide.be",
        toCheck: true,
      },
    ],
  },
  CH: {
    name: { fr: "Suisse", en: "Switzerland" },
    emergency: [
      {
        number: "144",
        by: "call",
        note: { fr: "Urgence médicale", en: "Medical emergency" },
        source: "https://www.ch.ch/fr/securite-et-justice/urgences/",
        toCheck: true,
      },
      EU_EMERGENCY,
    ],
    distress: [
      {
        number: "143",
        by: "call",
        note: { fr: "La Main Tendue, jour et nuit", en: "The Helping Hand, day and night" },
        source: "https://www.143.ch",
        toCheck: false,
      },
    ],
  },
  GB: {
    name: { fr: "Royaume-Uni", en: "United Kingdom" },
    emergency: [
      {
        number: "999",
        by: "call",
        note: { fr: "Urgences ; le 112 répond aussi", en: "Emergencies; 112 answers too" },
        source: "https://www.nhs.uk/nhs-services/urgent-and-emergency-care-services/",
        toCheck: true,
      },
      { ...EU_EMERGENCY, note: { fr: "Urgences", en: "Emergencies" }, toCheck: true },
    ],
    distress: [
      {
        number: "116 123",
        by: "call",
        note: { fr: "Samaritans, jour et nuit, gratuit", en: "Samaritans, day and night, free" },
        source: "https://www.samaritans.org",
        toCheck: true,
      },
    ],
  },
  IE: {
    name: { fr: "Irlande", en: "Ireland" },
    emergency: [EU_EMERGENCY],
    distress: [
      {
        number: "116 123",
        by: "call",
        note: { fr: "Samaritans, jour et nuit, gratuit", en: "Samaritans, day and night, free" },
        source: "https://www.samaritans.org/ireland/",
        toCheck: true,
      },
    ],
  },
  US: {
    name: { fr: "États-Unis", en: "United States" },
    emergency: [
      {
        number: "911",
        by: "call",
        note: { fr: "Urgences", en: "Emergencies" },
        source: "https://www.911.gov",
        toCheck: true,
      },
    ],
    distress: [
      {
        number: "988",
        by: "call",
        note: day,
        source: "https://988lifeline.org",
        toCheck: true,
      },
    ],
  },
  CA: {
    name: { fr: "Canada", en: "Canada" },
    emergency: [
      {
        number: "911",
        by: "call",
        note: { fr: "Urgences", en: "Emergencies" },
        source: "https://www.canada.ca/en/public-health/services/suicide-prevention.html",
        toCheck: true,
      },
    ],
    distress: [
      {
        number: "988",
        by: "call",
        note: day,
        source: "https://988.ca",
        toCheck: true,
      },
    ],
  },
} as const satisfies Readonly<Record<string, CountryHelp>>;

export type Country = keyof typeof COUNTRIES;

/** For everywhere else. */
export const ELSEWHERE: CountryHelp = {
  name: { fr: "Autre pays", en: "Another country" },
  emergency: [
    {
      ...EU_EMERGENCY,
      note: {
        fr: "Ou le numéro d'urgence de votre pays",
        en: "Or your local emergency number",
      },
      toCheck: true,
    },
  ],
  distress: [FIND_A_HELPLINE],
};

/**
 * The help of a country. Where its emergency numbers are still to be checked, the local emergency
 * number and 112 stand beside them, as they do for a country that is not known.
 */
export function helpFor(country: Country | null): CountryHelp {
  if (!country) return ELSEWHERE;
  const help: CountryHelp = COUNTRIES[country];
  if (isChecked(help.emergency) || callable(help.emergency).includes(EU_EMERGENCY.number)) {
    return help;
  }
  return { ...help, emergency: [...help.emergency, ...ELSEWHERE.emergency] };
}

/** Whether a human has read every one of these numbers on its official page. */
export function isChecked(lines: readonly Line[]): boolean {
  return lines.every(({ toCheck }) => !toCheck);
}

/** The numbers that one calls, in their order. */
export function callable(lines: readonly Line[]): readonly string[] {
  return lines.filter(({ by }) => by === "call").map(({ number }) => number);
}

export function isCountry(value: string | null | undefined): value is Country {
  return value != null && Object.hasOwn(COUNTRIES, value);
}

/** Evidence for the listener's country, the strongest first. */
export interface Witnesses {
  /** A country, or ELSEWHERE_CHOSEN; null: nothing was chosen. */
  readonly chosen: string | null;
  /** As `navigator.languages`. */
  readonly languages: readonly string[];
  /** As Intl names it: "Europe/Paris". */
  readonly timeZone: string | undefined;
}

/** How a choice of no country in the list is kept. */
export const ELSEWHERE_CHOSEN = "elsewhere";

/**
 * The one place where the country is decided: the listener's choice, else the region that the
 * browser's languages name, else the time zone. null: not known, or no country of the list. A
 * language says nothing of a country: "fr" alone is spoken in many.
 */
export function countryOf({ chosen, languages, timeZone }: Witnesses): Country | null {
  if (chosen === ELSEWHERE_CHOSEN) return null;
  if (isCountry(chosen)) return chosen;
  const region = regionOf(languages);
  if (region) return isCountry(region) ? region : null;
  return countryOfZone(timeZone);
}

export function browserWitnesses(chosen: string | null): Witnesses {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return { chosen, languages: navigator.languages, timeZone };
}

/**
 * The region that the first language names: "fr-BE" is Belgium. A language without one ("fr") takes
 * that of the same language further down; never that of another, which a browser often lists by
 * habit.
 */
function regionOf(languages: readonly string[]): string | undefined {
  const locales = languages.map(localeOf).filter((locale) => locale !== null);
  const spoken = locales.filter(({ language }) => language === locales[0]?.language);
  return spoken.find((locale) => locale.region)?.region;
}

export function addressOf({ number, by }: Line): string {
  if (by === "web") return `https://${number}`;
  return `${by === "sms" ? "sms" : "tel"}:${number.replaceAll(" ", "")}`;
}

function localeOf(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag);
  } catch {
    return null;
  }
}
