/** Lengths and moments as one says them. */

import type { Language } from "./language";

const ROUND_FROM_S = 300;
const DAY_MS = 24 * 3600 * 1000;

/** A length as one says it: 1188 -> 1200. Short ones stay exact. */
export function roundLength(seconds: number): number {
  return seconds < ROUND_FROM_S ? seconds : Math.round(seconds / 60) * 60;
}

/** 370 -> "6 min 10", in English "6 min 10 s"; 1200 -> "20 min". Seconds, rounded down. */
export function spokenTime(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (minutes === 0) return `${rest} s`;
  if (rest === 0) return `${minutes} min`;
  return language === "fr" ? `${minutes} min ${rest}` : `${minutes} min ${rest} s`;
}

/** A moment in two words: the day ("hier", "12 mars"), and the time of day ("15 h 22"). */
export interface Moment {
  readonly day: string;
  readonly time: string;
}

const DAYS: Readonly<Record<Language, readonly [string, string, string]>> = {
  fr: ["hier", "aujourd'hui", "demain"],
  en: ["yesterday", "today", "tomorrow"],
};

/** When, seen from `now`: the year only where it is another. Both are local unless a zone is given. */
export function momentOf(when: Date, now: Date, language: Language, timeZone?: string): Moment {
  const away = dayNumber(when, timeZone) - dayNumber(now, timeZone);
  const day = DAYS[language][away + 1] ?? dateOf(when, now, language, timeZone);
  return { day, time: timeOfDay(when, language, timeZone) };
}

/** English names the month after the day: "12 March" is read alike on both sides of the ocean. */
const LOCALES: Readonly<Record<Language, string>> = { fr: "fr-FR", en: "en-GB" };

function dateOf(when: Date, now: Date, language: Language, timeZone?: string): string {
  const sameYear = partsOf(when, timeZone)["year"] === partsOf(now, timeZone)["year"];
  const date = when.toLocaleDateString(LOCALES[language], {
    day: "numeric",
    month: "long",
    ...(sameYear ? {} : { year: "numeric" }),
    ...(timeZone ? { timeZone } : {}),
  });
  return language === "fr" ? date.replace(/^1 /, "1er ") : date;
}

/** "15 h 22", "8 h"; "3:22 pm", "8 am". */
function timeOfDay(when: Date, language: Language, timeZone?: string): string {
  const { hour = 0, minute = 0 } = partsOf(when, timeZone);
  const minutes = String(minute).padStart(2, "0");
  if (language === "fr") return minute === 0 ? `${hour} h` : `${hour} h ${minutes}`;
  const half = hour < 12 ? "am" : "pm";
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  return minute === 0 ? `${twelve} ${half}` : `${twelve}:${minutes} ${half}`;
}

/** Days since 1970 on the calendar of the place: two of them differ by whole days, whatever DST. */
function dayNumber(when: Date, timeZone?: string): number {
  const { year = 0, month = 1, day = 1 } = partsOf(when, timeZone);
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

function partsOf(when: Date, timeZone?: string): Partial<Record<string, number>> {
  const parts = new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
    ...(timeZone ? { timeZone } : {}),
  }).formatToParts(when);
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
}
