/** Which language the page speaks, and who chose it. */

import { en } from "./en";
import { type Dictionary, fr } from "./fr";

export type Language = "fr" | "en";
export type { Dictionary };

const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { fr, en };

export function dictionary(language: Language): Dictionary {
  return DICTIONARIES[language];
}

/** French where the browser asks for French first, else English; a choice made here wins. */
export function firstLanguage(
  chosen: string | null,
  browser: readonly string[] = navigator.languages,
): Language {
  if (chosen === "fr" || chosen === "en") return chosen;
  return browser[0]?.toLowerCase().startsWith("fr") ? "fr" : "en";
}
