/** Countries by IANA time zone (zone.tab), with the older names that browsers still report. */

import type { Country } from "./help";

const ZONES: Readonly<Record<Country, readonly string[]>> = {
  FR: ["Europe/Paris"],
  BE: ["Europe/Brussels"],
  CH: ["Europe/Zurich"],
  GB: ["Europe/London"],
  IE: ["Europe/Dublin"],
  US: [
    "America/New_York",
    "America/Detroit",
    "America/Kentucky/Louisville",
    "America/Kentucky/Monticello",
    "America/Indiana/Indianapolis",
    "America/Indiana/Vincennes",
    "America/Indiana/Winamac",
    "America/Indiana/Marengo",
    "America/Indiana/Petersburg",
    "America/Indiana/Vevay",
    "America/Chicago",
    "America/Indiana/Tell_City",
    "America/Indiana/Knox",
    "America/Menominee",
    "America/North_Dakota/Center",
    "America/North_Dakota/New_Salem",
    "America/North_Dakota/Beulah",
    "America/Denver",
    "America/Boise",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Juneau",
    "America/Sitka",
    "America/Metlakatla",
    "America/Yakutat",
    "America/Nome",
    "America/Adak",
    "Pacific/Honolulu",
    "America/Indianapolis",
    "America/Louisville",
    "America/Fort_Wayne",
    "America/Shiprock",
  ],
  CA: [
    "America/St_Johns",
    "America/Halifax",
    "America/Glace_Bay",
    "America/Moncton",
    "America/Goose_Bay",
    "America/Blanc-Sablon",
    "America/Toronto",
    "America/Iqaluit",
    "America/Atikokan",
    "America/Winnipeg",
    "America/Resolute",
    "America/Rankin_Inlet",
    "America/Regina",
    "America/Swift_Current",
    "America/Edmonton",
    "America/Cambridge_Bay",
    "America/Inuvik",
    "America/Creston",
    "America/Dawson_Creek",
    "America/Fort_Nelson",
    "America/Whitehorse",
    "America/Dawson",
    "America/Vancouver",
    "America/Montreal",
    "America/Thunder_Bay",
    "America/Nipigon",
    "America/Rainy_River",
    "America/Pangnirtung",
    "America/Yellowknife",
  ],
};

const BY_ZONE: ReadonlyMap<string, Country> = new Map(
  (Object.entries(ZONES) as [Country, readonly string[]][]).flatMap(([country, zones]) =>
    zones.map((zone) => [zone, country] as const),
  ),
);

/** null: a zone of no country in the list, or none at all ("UTC"). */
export function countryOfZone(zone: string | undefined): Country | null {
  return BY_ZONE.get(zone ?? "") ?? null;
}
