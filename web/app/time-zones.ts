/** Countries by IANA time zone (zone.tab), with the older names that browsers still report. */

import type { Country } from "./help";

/**
 * Without "America/", and a name that ends in "/" stands for every zone below it: the list comes
 * with the page's first bytes.
 */
const ZONES: Readonly<Record<Country, string>> = {
  FR: "Europe/Paris",
  BE: "Europe/Brussels",
  CH: "Europe/Zurich",
  GB: "Europe/London",
  IE: "Europe/Dublin",
  US: `New_York Detroit Kentucky/ Indiana/ Chicago Menominee North_Dakota/ Denver Boise Phoenix
    Los_Angeles Anchorage Juneau Sitka Metlakatla Yakutat Nome Adak Pacific/Honolulu
    Indianapolis Louisville Fort_Wayne Shiprock`,
  CA: `St_Johns Halifax Glace_Bay Moncton Goose_Bay Blanc-Sablon Toronto Iqaluit Atikokan Winnipeg
    Resolute Rankin_Inlet Regina Swift_Current Edmonton Cambridge_Bay Inuvik Creston Dawson_Creek
    Fort_Nelson Whitehorse Dawson Vancouver Montreal Thunder_Bay Nipigon Rainy_River Pangnirtung
    Yellowknife`,
};

/** null: a zone of no country in the list, or none at all ("UTC"). */
export function countryOfZone(zone = ""): Country | null {
  const name = zone.replace("America/", "");
  const area = name.slice(0, name.lastIndexOf("/") + 1);
  for (const [country, zones] of Object.entries(ZONES)) {
    const names = zones.split(/\s+/);
    if (names.includes(name) || names.includes(area)) return country as Country;
  }
  return null;
}
