/**
 * What the service tells the page: `/config.json` and `/presets.json`.
 *
 * Nothing in either is secret. Both are read once, at the start, and checked here: a page that
 * cannot trust them says so in words instead of failing later.
 */

import { SETTINGS, type Settings } from "../engine";

/** A text in the two languages of the page. */
export interface Bilingual {
  readonly fr: string;
  readonly en: string;
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** `/config.json`: where Supabase is, and what this service sets. */
export interface PlayerConfig {
  /** Origin of the Supabase project, without a trailing slash: "https://abc.supabase.co". */
  readonly supabaseUrl: string;
  /** Where the functions answer: this service's own address, which need not be the project's. */
  readonly functionsUrl: string;
  /** `sb_publishable_…`, or the legacy anon key. Never a secret key. */
  readonly publishableKey: string;
  /** Whether the project has Realtime; without it the page asks again and again. */
  readonly realtime: boolean;
  /** Hosts that may serve previews, as the page's CSP names them: "cdn1.suno.ai", "*.api.box". */
  readonly mediaHosts: readonly string[];
  /** The quiet bed played while music is composed, relative to the page; null: one waits in silence. */
  readonly bedUrl: string | null;
  /** A few seconds of it, heard until the whole has arrived; null where the service has none. */
  readonly bedStartUrl: string | null;
  /**
   * Bounds of the engine that differ here, by their names in `engine/settings.ts`, such as
   * `journeySecondsMin` and `journeySecondsMax`: tests play short pieces through these alone.
   */
  readonly settings: Partial<Settings>;
}

/** One colour in OKLCH: lightness 0-1, chroma at most 0.09, hue in degrees. */
export interface Oklch {
  readonly l: number;
  readonly c: number;
  readonly h: number;
}

export interface ColourPair {
  readonly from: Oklch;
  readonly to: Oklch;
}

export const GROUPS = ["overflow", "weight", "loop", "spring"] as const;
export type GroupName = (typeof GROUPS)[number];

/** One of the twenty entries of `/presets.json`, in the order in which they are offered. */
export interface Preset {
  /** "01-panique-anxiete": what create is called with. */
  readonly key: string;
  /** "panique-anxiete". */
  readonly slug: string;
  readonly group: GroupName;
  readonly groupName: Bilingual;
  readonly title: Bilingual;
  readonly from: Bilingual;
  readonly to: Bilingual;
  readonly minutes: Bounds;
  /** The card's curated text, shown before any brief exists. */
  readonly text: Bilingual;
  /** The title of its first piece. A service before this page did not send it. */
  readonly firstTitle?: Bilingual;
  /** What to know first: the preset's own notes, then the common ones. May be empty. */
  readonly contraindications: readonly Bilingual[];
  /** The word used in `emotionState`: "fear" gives "fear-0.8". */
  readonly emotion: string;
  /** The page has its own pair for each of the twenty; a service may send others. */
  readonly colors?: ColourPair;
}

/** The service answered something that is no config or no list of presets. */
export class ContractBroken extends Error {}

/** Read `/config.json`. What a service leaves out takes its documented default. */
export function readConfig(value: unknown): PlayerConfig {
  const config = asRecord(value, "config.json");
  const supabaseUrl = asText(config["supabaseUrl"], "supabaseUrl").replace(/\/+$/, "");
  return {
    supabaseUrl,
    functionsUrl: asAddress(config["functionsUrl"]) ?? `${supabaseUrl}/functions/v1`,
    publishableKey: asText(config["publishableKey"], "publishableKey"),
    realtime: config["realtime"] === true,
    mediaHosts: asList(config["mediaHosts"] ?? [], "mediaHosts").map(String),
    bedUrl: asAddress(config["bedUrl"]),
    bedStartUrl: asAddress(config["bedStartUrl"]),
    settings: asSettings(config["settings"] ?? {}),
  };
}

/** Read `/presets.json`: every preset has what a card shows, or the whole list is refused. */
export function readPresets(value: unknown): readonly Preset[] {
  const presets = asList(value, "presets.json").map(asPreset);
  if (presets.length === 0) throw new ContractBroken("presets.json is empty");
  return presets;
}

function asPreset(value: unknown): Preset {
  const preset = asRecord(value, "preset");
  const key = asText(preset["key"], "preset key");
  const group = preset["group"];
  if (!GROUPS.some((known) => known === group)) throw new ContractBroken(`${key}: group`);
  const minutes = asRecord(preset["minutes"], `${key}: minutes`);
  return {
    key,
    slug: asText(preset["slug"], `${key}: slug`),
    group: group as GroupName,
    groupName: asBilingual(preset["groupName"], `${key}: groupName`),
    title: asBilingual(preset["title"], `${key}: title`),
    from: asBilingual(preset["from"], `${key}: from`),
    to: asBilingual(preset["to"], `${key}: to`),
    minutes: asBounds(minutes, { min: 18, max: 24 }),
    text: asBilingual(preset["text"], `${key}: text`),
    contraindications: asList(preset["contraindications"], `${key}: contraindications`).map(
      (note) => asBilingual(note, `${key}: contraindication`),
    ),
    emotion: asText(preset["emotion"], `${key}: emotion`),
    ...(preset["firstTitle"]
      ? { firstTitle: asBilingual(preset["firstTitle"], `${key}: firstTitle`) }
      : {}),
    ...(preset["colors"] ? { colors: asPair(preset["colors"], key) } : {}),
  };
}

function asPair(value: unknown, key: string): ColourPair {
  const pair = asRecord(value, `${key}: colors`);
  return { from: asOklch(pair["from"], key), to: asOklch(pair["to"], key) };
}

function asOklch(value: unknown, key: string): Oklch {
  const { l, c, h } = asRecord(value, `${key}: colour`);
  if (typeof l !== "number" || typeof c !== "number" || typeof h !== "number") {
    throw new ContractBroken(`${key}: a colour is {l, c, h}`);
  }
  return { l, c, h };
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ContractBroken(`${what} is not an object`);
  }
  return value as Record<string, unknown>;
}

function asList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ContractBroken(`${what} is not a list`);
  return value;
}

function asAddress(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function asText(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") throw new ContractBroken(`${what} is missing`);
  return value;
}

function asBilingual(value: unknown, what: string): Bilingual {
  const { fr, en } = asRecord(value, what);
  return { fr: asText(fr, `${what} (fr)`), en: asText(en, `${what} (en)`) };
}

function asBounds(value: unknown, otherwise: Bounds): Bounds {
  if (value === undefined) return otherwise;
  const { min, max } = asRecord(value, "bounds");
  if (typeof min !== "number" || typeof max !== "number" || min > max) {
    throw new ContractBroken("bounds are {min, max}");
  }
  return { min, max };
}

function asSettings(value: unknown): Partial<Settings> {
  const known = Object.entries(asRecord(value, "settings")).filter(
    ([name, setting]) => typeof setting === typeof SETTINGS[name as keyof Settings],
  );
  return Object.fromEntries(known) as Partial<Settings>;
}
